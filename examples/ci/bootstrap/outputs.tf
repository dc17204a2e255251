output "github" {
  description = "What workflows name: `provider`, `plan-account` and `apply-account`."
  value = {
    provider      = try(module.bootstrap.github.workload_identity_provider, null)
    plan-account  = module.bootstrap.identities.plan
    apply-account = module.bootstrap.identities.apply
  }
}

output "backend" {
  description = "What the environment's tfbackend file names: `bucket`."
  value       = module.bootstrap.backend
}

output "plans" {
  description = "The bucket that builds hand plans on in. Null without Cloud Build."
  value       = one([for it in google_storage_bucket.plans : it.name])
}

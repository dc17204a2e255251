output "backend" {
  description = "What the `backend \"gcs\"` block of a configuration is written with: `bucket`. Each configuration has a `prefix` of its own."
  value = {
    bucket = google_storage_bucket.state.name
  }

  # Before the policy is there, so is nobody who could use it.
  depends_on = [google_storage_bucket_iam_policy.state]
}

output "identities" {
  description = "Emails of the accounts that CI acts as: `plan` and `apply`."
  value       = { for identity, it in google_service_account.ci : identity => it.email }
}

output "github" {
  description = "For `google-github-actions/auth`: `workload_identity_provider`, and the `environment` and `branch` that may apply. Null without GitHub."
  value = one([
    for key, it in local.github : {
      workload_identity_provider = google_iam_workload_identity_pool_provider.github[key].name
      environment                = it.environment
      branch                     = it.branch
    }
  ])
}

output "encryption_key" {
  description = "Id of the key that the state is encrypted with."
  value       = local.encryption_key
}

output "services" {
  description = "The APIs that are enabled, to depend on."
  value       = sort([for it in google_project_service.this : it.service])
}

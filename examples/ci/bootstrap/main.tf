module "bootstrap" {
  source = "../../../modules/state-bootstrap"

  project_id     = var.project_id
  project_number = var.project_number
  name           = "synapse"
  labels         = { environment = var.environment }
  regions        = var.regions
  state_admins   = var.admins

  # The GitHub environment has the same name. Only its jobs on main get the identity that applies.
  github      = var.github == null ? null : merge(var.github, { environment = var.environment, branch = "main" })
  cloud_build = var.build_callers == null ? null : { plan_callers = var.build_callers, apply_callers = var.build_callers }
}

locals {
  plans = var.build_callers == null ? {} : { this = "${var.project_id}-synapse-plans" }
}

# Cloud Build has no artifacts that one build hands to another. A plan holds what a state holds, so this bucket is as closed.
resource "google_storage_bucket" "plans" {
  for_each = local.plans

  project                     = var.project_id
  name                        = each.value
  location                    = { europe = "EU", us = "US", asia = "ASIA" }[split("-", tolist(var.regions)[0])[0]]
  storage_class               = "STANDARD"
  rpo                         = "DEFAULT"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = { environment = var.environment }

  encryption {
    default_kms_key_name = module.bootstrap.encryption_key
  }

  # What was not applied by then has to be planned again.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age = 30
    }
  }

  # The key lets Cloud Storage use it by then.
  depends_on = [module.bootstrap]
}

resource "google_storage_bucket_iam_policy" "plans" {
  for_each = local.plans

  bucket = google_storage_bucket.plans[each.key].name

  policy_data = jsonencode({
    bindings = concat(
      [
        {
          role    = "roles/storage.admin"
          members = sort(var.admins)
        },
        {
          role    = "roles/storage.objectViewer"
          members = sort([for email in values(module.bootstrap.identities) : "serviceAccount:${email}"])
        },
      ],
      # Who plans cannot say that something was applied. Nobody overwrites.
      [
        for identity, folder in { plan = "plans", apply = "applied" } : {
          role                         = "roles/storage.objectCreator"
          members                      = ["serviceAccount:${module.bootstrap.identities[identity]}"]
          condition = {
            title       = folder
            description = "What this identity leaves"
            expression  = "resource.name.startsWith(\"projects/_/buckets/${each.value}/objects/${folder}/\")"
          }
        }
      ],
      length(var.receipt_readers) == 0 ? [] : [
        {
          role    = "roles/storage.objectViewer"
          members = sort(var.receipt_readers)
          condition = {
            title       = "receipts"
            description = "What was applied, not the plans"
            expression  = "resource.name.startsWith(\"projects/_/buckets/${each.value}/objects/applied/\")"
          }
        },
      ],
    )
  })
}

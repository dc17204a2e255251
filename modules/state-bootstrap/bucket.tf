locals {
  own_key        = var.encryption_key == null ? { this = coalesce(var.key_ring.name, "${var.name}-tfstate") } : {}
  encryption_key = var.encryption_key == null ? google_kms_crypto_key.state["this"].id : var.encryption_key
}

resource "google_kms_key_ring" "this" {
  for_each = local.own_key

  project  = var.project_id
  name     = each.value
  location = local.locations[local.continent].key

  depends_on = [google_project_service.this]
}

resource "google_kms_crypto_key" "state" {
  for_each = local.own_key

  name                       = "state"
  key_ring                   = google_kms_key_ring.this[each.key].id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = var.key_ring.rotation_period
  destroy_scheduled_duration = "2592000s"
  labels                     = var.labels
  deletion_policy            = local.deletion_policy
}

resource "google_kms_crypto_key_iam_member" "service_agent" {
  for_each = local.own_key

  crypto_key_id = google_kms_crypto_key.state[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${var.project_number}@gs-project-accounts.iam.gserviceaccount.com"
}

resource "google_storage_bucket" "state" {
  project                     = var.project_id
  name                        = coalesce(var.bucket.name, "${var.project_id}-${var.name}-tfstate")
  location                    = local.locations[local.continent].bucket
  storage_class               = "STANDARD"
  rpo                         = var.bucket.turbo_replication ? "ASYNC_TURBO" : "DEFAULT"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = var.labels

  # prevent_destroy cannot be an input, and this can. A bucket with a state in it stays in any case.
  deletion_policy = local.deletion_policy
  force_destroy   = false

  custom_placement_config {
    data_locations = [for region in var.regions : upper(region)]
  }

  encryption {
    default_kms_key_name = local.encryption_key
  }

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.bucket.soft_delete_days * 24 * 60 * 60
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      with_state                 = "ARCHIVED"
      num_newer_versions         = var.bucket.keep_versions
      days_since_noncurrent_time = var.bucket.keep_days
    }
  }

  # A lock is an object that comes and goes with every run.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      with_state                 = "ARCHIVED"
      matches_suffix             = [".tflock"]
      days_since_noncurrent_time = 1
    }
  }

  depends_on = [
    google_kms_crypto_key_iam_member.service_agent,
    google_project_service.this,
  ]
}

# A new bucket lets all viewers of the project read its objects, and a state holds secrets: so this is the whole policy. Who plans
# reads the state, and writes nothing but the lock that keeps an apply from changing it meanwhile.
resource "google_storage_bucket_iam_policy" "state" {
  bucket = google_storage_bucket.state.name

  policy_data = jsonencode({
    bindings = [
      {
        role    = "roles/storage.admin"
        members = sort(var.state_admins)
      },
      {
        role    = "roles/storage.objectUser"
        members = [google_service_account.ci["apply"].member]
      },
      {
        role    = "roles/storage.objectViewer"
        members = [google_service_account.ci["plan"].member]
      },
      {
        role    = "roles/storage.objectUser"
        members = [google_service_account.ci["plan"].member]
        condition = {
          title       = "locks"
          description = "Locks of states, not the states"
          expression  = "resource.name.endsWith(\".tflock\")"
        }
      },
    ]
  })
}

locals {
  own_key        = var.encryption_key == null ? { this = coalesce(var.key_ring.name, "${var.name}-gke") } : {}
  encryption_key = var.encryption_key == null ? google_kms_crypto_key.secrets["this"].id : var.encryption_key
}

resource "google_kms_key_ring" "this" {
  for_each = local.own_key

  project  = var.project_id
  name     = each.value
  location = var.region
}

resource "google_kms_crypto_key" "secrets" {
  for_each = local.own_key

  name                       = "secrets"
  key_ring                   = google_kms_key_ring.this[each.key].id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = var.key_ring.rotation_period
  destroy_scheduled_duration = "2592000s"
  labels                     = var.labels

  # Who destroys the key destroys the cluster's secrets, and every backup of them.
  deletion_policy = var.deletion_protection ? "PREVENT" : "DELETE"
}

resource "google_kms_crypto_key_iam_member" "service_agent" {
  for_each = local.own_key

  crypto_key_id = google_kms_crypto_key.secrets[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${var.project_number}@container-engine-robot.iam.gserviceaccount.com"
}

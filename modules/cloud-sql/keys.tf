locals {
  own_keys = { for region, instance in var.instances : region => instance if instance.encryption_key == null }
}

# A key ring per region, as a key must be where the instance is. Google never deletes key rings: neither name can be had twice.
resource "google_kms_key_ring" "this" {
  for_each = local.own_keys

  project  = var.project_id
  name     = local.names[each.key]
  location = each.key
}

resource "google_kms_crypto_key" "this" {
  for_each = local.own_keys

  name            = "sql"
  key_ring        = google_kms_key_ring.this[each.key].id
  purpose         = "ENCRYPT_DECRYPT"
  rotation_period = "7776000s"
  labels          = var.labels
}

resource "google_kms_crypto_key_iam_member" "this" {
  for_each = local.own_keys

  crypto_key_id = google_kms_crypto_key.this[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${var.project_number}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
}

locals {
  # One certificate for each domain, so that another domain replaces none. A name is readable, and unique by its hash.
  domains = { for domain in var.domains : domain => {
    authorization = trimprefix(domain, "*.")
    name          = "${var.name}-${trim(substr(replace(replace(domain, "*", "any"), ".", "-"), 0, 25), "-")}-${substr(sha1(domain), 0, 6)}"
  } }

  # A domain and its wildcard share the authorization.
  authorizations = { for domain in toset(values(local.domains)[*].authorization) : domain => {
    name = "${var.name}-${trim(substr(replace(domain, ".", "-"), 0, 25), "-")}-${substr(sha1(domain), 0, 6)}"
  } }
}

resource "google_certificate_manager_dns_authorization" "this" {
  for_each = local.authorizations

  project     = var.project_id
  name        = each.value.name
  description = "Proves to Google that ${each.key} is ours."
  location    = "global"
  domain      = each.key
  type        = "FIXED_RECORD"
  labels      = var.labels
}

resource "google_certificate_manager_certificate" "this" {
  for_each = local.domains

  project     = var.project_id
  name        = each.value.name
  description = "Certificate of ${each.key}."
  location    = "global"
  scope       = "DEFAULT"
  labels      = var.labels

  managed {
    domains            = [each.key]
    dns_authorizations = [google_certificate_manager_dns_authorization.this[each.value.authorization].id]
  }

  # The map has another certificate for all other hosts before the one that it had is deleted.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_certificate_manager_certificate_map" "this" {
  project     = var.project_id
  name        = var.name
  description = "Certificates of the load balancer ${var.name}."
  labels      = var.labels
}

resource "google_certificate_manager_certificate_map_entry" "this" {
  for_each = local.domains

  project      = var.project_id
  name         = each.value.name
  description  = "Certificate for ${each.key}."
  map          = google_certificate_manager_certificate_map.this.name
  hostname     = each.key
  certificates = [google_certificate_manager_certificate.this[each.key].id]
  labels       = var.labels
}

# For clients that name no host, or another one: a certificate that does not fit is a clearer answer than a closed connection.
resource "google_certificate_manager_certificate_map_entry" "primary" {
  project      = var.project_id
  name         = "${var.name}-primary"
  description  = "Certificate for all other hosts."
  map          = google_certificate_manager_certificate_map.this.name
  matcher      = "PRIMARY"
  certificates = [google_certificate_manager_certificate.this[local.canonical_domain].id]
  labels       = var.labels
}

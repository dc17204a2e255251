locals {
  ip_versions = { ipv4 = "IPV4", ipv6 = "IPV6" }

  forwarding_rules = merge([for ip, version in local.ip_versions : {
    "${ip}-https" = { ip = ip, port = "443", target = google_compute_target_https_proxy.this.id }
    "${ip}-http"  = { ip = ip, port = "80", target = google_compute_target_http_proxy.this.id }
  }]...)

  # The provider refuses the deletion; lifecycle.prevent_destroy cannot be an input.
  deletion_policy = var.deletion_protection ? "PREVENT" : "DELETE"
}

resource "google_compute_global_address" "this" {
  for_each = local.ip_versions

  project         = var.project_id
  name            = "${var.name}-${each.key}"
  description     = "Address of the load balancer ${var.name}."
  address_type    = "EXTERNAL"
  ip_version      = each.value
  labels          = var.labels
  deletion_policy = local.deletion_policy
}

resource "google_compute_ssl_policy" "this" {
  project         = var.project_id
  name            = var.name
  description     = "TLS of the load balancer ${var.name}."
  profile         = var.tls.profile
  min_tls_version = var.tls.min_version
}

resource "google_compute_target_https_proxy" "this" {
  project         = var.project_id
  name            = "${var.name}-https"
  description     = "HTTPS of the load balancer ${var.name}."
  url_map         = google_compute_url_map.https.id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.this.id}"
  ssl_policy      = google_compute_ssl_policy.this.id
  quic_override   = "ENABLE"
  # Early data can be replayed, and requests of the platform are not all idempotent.
  tls_early_data = "DISABLED"

  # A proxy never has a map without entries, neither at the first apply nor during a destroy that the protection stops.
  depends_on = [google_certificate_manager_certificate_map_entry.this, google_certificate_manager_certificate_map_entry.primary]
}

resource "google_compute_target_http_proxy" "this" {
  project     = var.project_id
  name        = "${var.name}-http"
  description = "Redirects HTTP to HTTPS."
  url_map     = google_compute_url_map.redirect.id
}

# They are what a destroy takes first: protected, they protect all that they lead to.
resource "google_compute_global_forwarding_rule" "this" {
  for_each = local.forwarding_rules

  project               = var.project_id
  name                  = "${var.name}-${each.key}"
  description           = "Port ${each.value.port} of the load balancer ${var.name}."
  load_balancing_scheme = "EXTERNAL_MANAGED"
  network_tier          = "PREMIUM"
  ip_protocol           = "TCP"
  ip_address            = google_compute_global_address.this[each.value.ip].id
  port_range            = each.value.port
  target                = each.value.target
  labels                = var.labels
  deletion_policy       = local.deletion_policy
}

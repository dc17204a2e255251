locals {
  hybrid   = try(var.monolith.hybrid, null)
  internet = try(var.monolith.internet, null)

  monolith_endpoints = local.hybrid == null ? {} : local.hybrid.endpoints
  monolith_zones     = toset(values(local.monolith_endpoints)[*].zone)
}

# A group is replaced when its network is, and the old one is in use until the backend service has the new one: hence the hash.
resource "google_compute_network_endpoint_group" "monolith" {
  for_each = local.monolith_zones

  project               = var.project_id
  name                  = "${var.name}-monolith-${substr(sha1(var.network.id), 0, 6)}"
  description           = "Endpoints of the monolith, reached from ${each.key}."
  zone                  = each.key
  network               = var.network.id
  network_endpoint_type = "NON_GCP_PRIVATE_IP_PORT"

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_network_endpoint" "monolith" {
  for_each = local.monolith_endpoints

  project                = var.project_id
  zone                   = each.value.zone
  network_endpoint_group = google_compute_network_endpoint_group.monolith[each.value.zone].id
  ip_address             = each.value.ip_address
  port                   = each.value.port

  lifecycle {
    create_before_destroy = true
  }
}

# A global group holds one endpoint only: another name or port is another group, filled before the backend service changes over.
resource "google_compute_global_network_endpoint_group" "monolith" {
  for_each = local.internet == null ? {} : { this = local.internet }

  project               = var.project_id
  name                  = "${var.name}-monolith-${substr(sha1("${each.value.fqdn}:${each.value.port}"), 0, 6)}"
  description           = "The monolith at ${each.value.fqdn}."
  network_endpoint_type = "INTERNET_FQDN_PORT"

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_global_network_endpoint" "monolith" {
  for_each = local.internet == null ? {} : { this = local.internet }

  project                       = var.project_id
  global_network_endpoint_group = google_compute_global_network_endpoint_group.monolith[each.key].id
  fqdn                          = each.value.fqdn
  port                          = each.value.port

  lifecycle {
    create_before_destroy = true
  }
}

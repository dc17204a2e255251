locals {
  private_services_access = var.private_services_access == null ? {} : { this = var.private_services_access }
}

resource "google_compute_global_address" "private_services" {
  for_each = local.private_services_access

  project       = var.project_id
  name          = "${var.name}-private-services"
  description   = "Addresses of Google-managed services in the network"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = split("/", each.value.cidr)[0]
  prefix_length = tonumber(split("/", each.value.cidr)[1])
  network       = google_compute_network.this.id
  labels        = var.labels
}

resource "google_service_networking_connection" "this" {
  for_each = local.private_services_access

  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.private_services[each.key].name]

  # Cloud SQL can keep what it holds behind the connection for days after the last instance is gone. Until then Google refuses to
  # delete the connection, and the network because of its peering: so abandoning the one would only leave the other behind.
  # REMOVE_PEERING deletes the connection, and when that is refused takes the peering away; a provider that does not know
  # the word yet takes it for DELETE.
  deletion_policy = each.value.deletion_policy

  # The other side remembers such a connection by the name of the network. When that is created anew, adopt it.
  update_on_creation_fail = true
}

resource "google_compute_network_peering_routes_config" "private_services" {
  for_each = { for key, it in local.private_services_access : key => it if it.export_custom_routes }

  project              = var.project_id
  network              = google_compute_network.this.name
  peering              = google_service_networking_connection.this[each.key].peering
  export_custom_routes = true
  import_custom_routes = false
}

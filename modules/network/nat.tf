locals {
  nat_regions = var.nat == null ? {} : var.regions

  nat_addresses = merge([
    for region in keys(local.nat_regions) : {
      for number in range(var.nat.static_addresses) : "${region}/${number}" => { region = region, number = number }
    }
  ]...)
}

resource "google_compute_router" "this" {
  for_each = local.nat_regions

  project     = var.project_id
  name        = "${var.name}-${each.key}"
  description = "Carries Cloud NAT in ${each.key}"
  region      = each.key
  network     = google_compute_network.this.id
}

resource "google_compute_address" "nat" {
  for_each = local.nat_addresses

  project      = var.project_id
  name         = "${var.name}-${each.value.region}-nat-${each.value.number}"
  description  = "Where traffic from ${each.value.region} comes from"
  region       = each.value.region
  address_type = "EXTERNAL"
  network_tier = "PREMIUM"
  labels       = var.labels
}

resource "google_compute_router_nat" "this" {
  for_each = local.nat_regions

  project                            = var.project_id
  name                               = "${var.name}-${each.key}"
  region                             = each.key
  router                             = google_compute_router.this[each.key].name
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  nat_ip_allocate_option = var.nat.static_addresses == 0 ? "AUTO_ONLY" : "MANUAL_ONLY"
  nat_ips                = var.nat.static_addresses == 0 ? null : [for key, it in local.nat_addresses : google_compute_address.nat[key].id if it.region == each.key]

  # Pods share the ports of their node, and few nodes need many at once. Mapping independent of the endpoint excludes handing
  # ports out on demand.
  enable_dynamic_port_allocation      = true
  enable_endpoint_independent_mapping = false
  min_ports_per_vm                    = var.nat.min_ports_per_vm
  max_ports_per_vm                    = var.nat.max_ports_per_vm

  log_config {
    enable = true
    filter = var.nat.log_filter
  }
}

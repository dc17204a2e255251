locals {
  fleet_project_id     = coalesce(var.fleet.project_id, var.project_id)
  fleet_project_number = coalesce(var.fleet.project_number, var.project_number)
}

module "cluster" {
  source   = "../gke-cluster"
  for_each = var.clusters

  project_id     = var.project_id
  project_number = var.project_number
  name           = "${var.name}-${each.key}"
  region         = each.key
  labels         = var.labels

  network    = var.network
  subnet     = each.value.subnet
  mode       = each.value.mode
  zones      = each.value.zones
  node_pools = each.value.node_pools
  node_roles = var.node_roles

  release_channel     = each.value.release_channel
  maintenance         = each.value.maintenance
  encryption_key      = each.value.encryption_key
  key_ring            = each.value.key_ring
  deletion_protection = each.value.deletion_protection

  control_plane = var.control_plane
  security      = var.security
  observability = var.observability
  notifications = var.notifications
  backup_agent  = var.backup_agent
  fleet         = local.fleet_project_id
}

locals {
  week = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

  # Without BYDAY a window recurs on every day, or on one that depends on its start: then it is taken for every day.
  days = { for region, it in var.clusters : region => try(split(",", regex("BYDAY=([A-Z,]+)", it.maintenance.recurrence)[0]), local.week) }

  regions = sort(keys(var.clusters))
  shared_days = flatten([
    for index, one in local.regions : [
      for other in slice(local.regions, index + 1, length(local.regions)) :
      "${one} and ${other} (${join(", ", setintersection(local.days[one], local.days[other]))})"
      if length(setintersection(local.days[one], local.days[other])) > 0
    ]
  ])
}

# What an upgrade breaks is then broken in one region, and there is a day to notice and somewhere to fail over to.
check "maintenance_windows" {
  assert {
    condition     = length(local.shared_days) == 0
    error_message = "Google may upgrade regions on the same day: ${join("; ", local.shared_days)}. Give each region days of its own, such as maintenance = { recurrence = \"FREQ=WEEKLY;BYDAY=MO,TU\" }."
  }
}

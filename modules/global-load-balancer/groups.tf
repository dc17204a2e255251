# Network endpoint groups of the services, one for each zone. The module makes them, so that one apply makes the whole load balancer,
# and GKE fills them: its controller takes a group over that has the name in the annotation of the Kubernetes Service, the network and
# subnet of the cluster, and a description. It refuses a group without one, and takes JSON for the mark of another controller.

locals {
  # Where each service runs, with every setting filled in.
  placements = {
    for name, service in var.services : name => {
      for region in try(keys(service.regions), keys(var.regions)) : region => {
        capacity  = contains(var.drained_regions, region) ? 0 : try(service.regions[region].capacity, 1)
        max_rate  = coalesce(try(service.regions[region].max_rate_per_endpoint, null), service.max_rate_per_endpoint)
        preferred = try(service.regions[region].preferred, false)
        given     = try(service.regions[region].network_endpoint_groups, null)
        name      = join("-", compact([var.name, name, var.regions[region].neg_suffix]))
      }
    }
  }

  groups = merge([for name, regions in local.placements : merge([for region, placement in regions : {
    for zone in var.regions[region].zones : "${name}/${zone}" => { service = name, region = region, zone = zone, name = placement.name }
  } if placement.given == null]...)]...)
}

resource "google_compute_network_endpoint_group" "service" {
  for_each = local.groups

  project               = var.project_id
  name                  = each.value.name
  description           = "Made by Terraform for the service ${each.value.service}. GKE keeps the endpoints."
  zone                  = each.value.zone
  network               = var.network.id
  subnetwork            = var.regions[each.value.region].subnet.id
  network_endpoint_type = "GCE_VM_IP_PORT"

  lifecycle {
    create_before_destroy = true
  }
}

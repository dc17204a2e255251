output "network" {
  description = "The network, to be handed to what is put into it: `id`, `name`, `self_link`, and `private_services_connection`, the id of the connection that Cloud SQL needs (null without one). What refers to the latter is created after it and destroyed before it."
  value = {
    id                          = google_compute_network.this.id
    name                        = google_compute_network.this.name
    self_link                   = google_compute_network.this.self_link
    private_services_connection = one([for it in google_service_networking_connection.this : it.id])
  }
}

output "subnets" {
  description = "The subnet of each region: `id`, `name`, `self_link`, `region`, `cidr`, and the names of the secondary ranges, `pods_range_name` and `services_range_name`."
  value = {
    for region, it in google_compute_subnetwork.this : region => {
      id                  = it.id
      name                = it.name
      self_link           = it.self_link
      region              = it.region
      cidr                = it.ip_cidr_range
      pods_range_name     = it.secondary_ip_range[0].range_name
      services_range_name = it.secondary_ip_range[1].range_name
    }
  }

  # Nodes pull their images through NAT and are probed through the firewall. What is put into a subnet comes after these and goes
  # before them, so that a destroy which a cluster refuses has not cut it off.
  depends_on = [
    google_compute_firewall.deny_ingress,
    google_compute_firewall.health_checks,
    google_compute_firewall.iap,
    google_compute_firewall.proxies,
    google_compute_firewall.rules,
    google_compute_router_nat.this,
    google_compute_subnetwork.proxy_only,
  ]
}

output "nat_addresses" {
  description = "The reserved addresses that traffic from each region comes from; empty where Google picks them."
  value = {
    for region in keys(local.nat_regions) : region => [for key, it in local.nat_addresses : google_compute_address.nat[key].address if it.region == region]
  }
}

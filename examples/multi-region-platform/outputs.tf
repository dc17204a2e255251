output "synapse_regions" {
  description = "The regions, for `synapse_region`."
  value       = module.platform.synapse_regions
}

output "clusters" {
  description = "The cluster of each region, and how to reach it."
  value       = { for region, cluster in module.platform.clusters : region => { name = cluster.name, dns_endpoint = cluster.dns_endpoint } }
}

output "databases" {
  description = "The instance of each region, and what it is."
  value       = { for region, instance in module.platform.database.instances : region => { name = instance.name, role = instance.role } }
}

output "entry" {
  description = "Addresses of the load balancer, and the name servers to delegate the zone to."
  value = {
    ip_address   = module.platform.load_balancer.ip_address
    ipv6_address = module.platform.load_balancer.ipv6_address
    name_servers = module.platform.name_servers
  }
}

output "synapse_regions" {
  description = "The regions, for `synapse_region`."
  value       = module.platform.synapse_regions
}

output "clusters" {
  description = "The cluster of each region, and how to reach it."
  value       = { for region, cluster in module.platform.clusters : region => { name = cluster.name, dns_endpoint = cluster.dns_endpoint } }
}

# Not which of them is the primary: an output that the control plane can change would make a plan that has something to do.
output "databases" {
  description = "Connection name of the instance of each region."
  value       = { for region, instance in module.platform.database.instances : region => instance.connection_name }
}

output "entry" {
  description = "Addresses of the load balancer, and the name servers to delegate the zone to."
  value = {
    ip_address   = module.platform.load_balancer.ip_address
    ipv6_address = module.platform.load_balancer.ipv6_address
    name_servers = module.platform.name_servers
  }
}

output "network" {
  description = "The network, as module `network` hands it on."
  value       = module.network.network
}

output "subnets" {
  description = "The subnet of each region, as module `network` hands it on."
  value       = module.network.subnets
}

output "clusters" {
  description = "The cluster of each region, as module `gke-cluster` hands it on."
  value       = module.gke.clusters
}

output "fleet" {
  description = "The fleet of the clusters, as module `gke-multi-region` hands it on."
  value       = module.gke.fleet
}

output "database" {
  description = "The database: `instances` by region and the `active` one, as module `cloud-sql` hands them on, and the names of the `databases`."
  value = {
    instances = module.database.instances
    active    = module.database.active
    databases = module.database.databases
  }
}

output "load_balancer" {
  description = "The load balancer, as module `global-load-balancer` hands it on."
  value       = module.load_balancer.load_balancer
}

output "neg_annotations" {
  description = "By service and region, the annotation `cloud.google.com/neg` for the Kubernetes Service there."
  value       = module.load_balancer.neg_annotations
}

output "dns_records" {
  description = "Records that the load balancer's domains need. They are in the zone already if `dns_zone` is set."
  value       = module.load_balancer.dns_records
}

output "name_servers" {
  description = "Name servers to delegate `dns_zone` to; empty without it."
  value       = flatten([for it in module.dns : it.zones["main"].name_servers])
}

output "synapse_regions" {
  description = "The regions as `synapse_region` takes them: `for_each = module.platform.synapse_regions`, with `name = each.value.name` and `labels = each.value.labels`."
  value = { for region, it in var.regions : region => {
    name = region
    labels = merge(
      { platform = var.name, cluster = module.gke.clusters[region].name },
      it.database == null ? {} : { database = module.database.instances[region].name },
    )
  } }
}

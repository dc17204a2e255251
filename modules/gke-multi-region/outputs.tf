output "clusters" {
  description = "The cluster of each region, as module `gke-cluster` hands it on."
  value       = { for region, it in module.cluster : region => it.cluster }
}

output "fleet" {
  description = "The fleet, to be handed on: `project_id`, `memberships` by region, `config_region` and `config_membership` (null without multi-cluster Gateways)."
  value = {
    project_id        = local.fleet_project_id
    memberships       = { for region, it in module.cluster : region => it.cluster.membership }
    config_region     = var.fleet.config_region
    config_membership = one([for region in values(local.multi_cluster_gateway) : module.cluster[region].cluster.membership])
  }

  # Who uses the fleet wants its features, and on the way out lets go of them first.
  depends_on = [
    google_gke_hub_feature.multi_cluster_gateway,
    google_gke_hub_feature.multi_cluster_services,
    google_project_iam_member.multi_cluster_gateway_controller,
    google_project_iam_member.multi_cluster_services_importer,
  ]
}

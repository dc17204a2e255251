locals {
  # On the way out they go before the clusters: a destroy that these refuse must not have cut the services between them.
  deletion_policy = var.fleet.deletion_protection ? "PREVENT" : "DELETE"

  multi_cluster_services = var.fleet.multi_cluster_services ? { this = true } : {}
  multi_cluster_gateway  = var.fleet.config_region == null ? {} : { this = var.fleet.config_region }
}

# Clusters join by themselves, by their `fleet` block. The feature does not list them, so that one that comes or goes does not
# touch it.
resource "google_gke_hub_feature" "multi_cluster_services" {
  for_each = local.multi_cluster_services

  project  = local.fleet_project_id
  name     = "multiclusterservicediscovery"
  location = "global"
  labels   = var.labels

  deletion_policy = local.deletion_policy

  # The importer can read the network for as long as there is something to import.
  depends_on = [google_project_iam_member.multi_cluster_services_importer]
}

# The importer in each cluster writes the endpoints of the others, and reads the network to tell in which zones they are. It is one
# identity for all clusters of the workload pool.
resource "google_project_iam_member" "multi_cluster_services_importer" {
  for_each = local.multi_cluster_services

  project = var.project_id
  role    = "roles/compute.networkViewer"
  member  = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.project_id}.svc.id.goog/subject/ns/gke-mcs/sa/gke-mcs-importer"

  # The workload pool of a project comes with its first cluster.
  depends_on = [module.cluster]
}

resource "google_gke_hub_feature" "multi_cluster_gateway" {
  for_each = local.multi_cluster_gateway

  project  = local.fleet_project_id
  name     = "multiclusteringress"
  location = "global"
  labels   = var.labels

  deletion_policy = local.deletion_policy

  spec {
    multiclusteringress {
      config_membership = module.cluster[each.value].cluster.membership
    }
  }

  # Gateways of several clusters refer to services of several clusters.
  depends_on = [google_gke_hub_feature.multi_cluster_services]
}

# The controller runs at Google and acts as this service agent. Its role is the one that Google asks for: it has to write the
# Gateway's status, and to read secrets with certificates.
resource "google_project_iam_member" "multi_cluster_gateway_controller" {
  for_each = local.multi_cluster_gateway

  project = var.project_id
  role    = "roles/container.admin"
  member  = "serviceAccount:service-${local.fleet_project_number}@gcp-sa-multiclusteringress.iam.gserviceaccount.com"

  # The agent comes with the feature.
  depends_on = [google_gke_hub_feature.multi_cluster_gateway]
}

output "cluster" {
  description = "The cluster, to be handed on: `id`, `name`, `region`, `location`, `dns_endpoint` (a host name), `workload_pool`, `membership` (id in the fleet, null without one), `node_service_account` (email) and `ca_certificate` (base64)."
  value = {
    id                   = google_container_cluster.this.id
    name                 = google_container_cluster.this.name
    region               = var.region
    location             = google_container_cluster.this.location
    dns_endpoint         = google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint
    workload_pool        = google_container_cluster.this.workload_identity_config[0].workload_pool
    membership           = one([for it in google_container_cluster.this.fleet : trimprefix(it.membership, "//gkehub.googleapis.com/")])
    node_service_account = google_service_account.nodes.email
    ca_certificate       = google_container_cluster.this.master_auth[0].cluster_ca_certificate
  }

  # Whoever gets hold of the cluster wants to run something on it, and on the way out it still has nodes to stop it on.
  depends_on = [google_container_node_pool.this]
}

output "encryption_key" {
  description = "Id of the key that secrets are encrypted with."
  value       = local.encryption_key
}

data "synapse_service_deployments" "auth" {
  service = "auth"
}

output "live" {
  value = { for id, deployment in data.synapse_service_deployments.auth.service_deployments : id => deployment.live_revision }
}

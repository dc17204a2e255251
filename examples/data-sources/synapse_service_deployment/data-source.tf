data "synapse_service_deployment" "auth" {
  service = "auth"
  name    = "v1"
}

output "digest" {
  value = data.synapse_service_deployment.auth.image_digest
}

data "synapse_service" "auth" {
  name = "auth"
}

output "url" {
  value = data.synapse_service.auth.url
}

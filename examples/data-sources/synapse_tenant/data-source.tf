data "synapse_tenant" "acme" {
  name = "acme"
}

output "endpoints" {
  value = data.synapse_tenant.acme.endpoints
}

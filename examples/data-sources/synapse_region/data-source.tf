data "synapse_region" "europe" {
  name = "europe"
}

output "gateway" {
  value = data.synapse_region.europe.gateway_url
}

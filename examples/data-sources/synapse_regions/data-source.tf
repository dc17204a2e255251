data "synapse_regions" "all" {}

output "gateways" {
  value = { for name, region in data.synapse_regions.all.regions : name => region.gateway_url }
}

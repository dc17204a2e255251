data "synapse_services" "all" {}

output "owners" {
  value = { for name, service in data.synapse_services.all.services : name => service.owner }
}

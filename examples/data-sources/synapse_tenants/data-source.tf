data "synapse_tenants" "pilot" {
  labels = {
    stage = "pilot"
  }
}

output "pilots" {
  value = keys(data.synapse_tenants.pilot.tenants)
}

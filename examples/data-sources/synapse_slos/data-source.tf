data "synapse_slos" "all" {}

output "objectives" {
  value = { for name, slo in data.synapse_slos.all.slos : name => slo.objective }
}

# No live values: weights and phases move without Terraform, and an output that moves is a plan that is not empty.

output "service" {
  description = "The service: `name`, and the `url` that the global entry serves it at."
  value = {
    name = synapse_service.this.name
    url  = synapse_service.this.url
  }
}

output "deployment" {
  description = "What runs: `id`, and the `image_digest`."
  value = {
    id           = synapse_service_deployment.this.id
    image_digest = synapse_service_deployment.this.image_digest
  }
}

output "split" {
  description = "Name of the traffic split, for `synapsed split show`. Null once the monolith's route is retired."
  value       = one([for split in synapse_traffic_split.this : split.name])
}

output "slos" {
  description = "Objectives by kind (`availability`, `latency`): `name`, and `rules_yaml` for a Prometheus server."
  value       = { for kind, slo in synapse_slo.this : kind => { name = slo.name, rules_yaml = slo.rules_yaml } }
}

output "drill" {
  description = "Name of the drill, for a `synapse_dr_drill_run` or `synapsed drill run`. Null if there is none."
  value       = one([for drill in synapse_dr_drill.this : drill.name])
}

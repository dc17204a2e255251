output "split" {
  description = "Name of the traffic split. Null once the monolith is retired."
  value       = module.auth.split
}

output "drill" {
  description = "Name of the drill."
  value       = module.auth.drill
}

output "alerts" {
  description = "Rule files for a Prometheus server, by objective."
  value       = { for kind, slo in module.auth.slos : kind => slo.rules_yaml }
}

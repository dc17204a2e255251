output "zones" {
  description = "The zones by name, to be handed on: `id`, `name`, `dns_name` and the `name_servers` to delegate a public one to."
  value = {
    for name, zone in google_dns_managed_zone.this : name => {
      id           = zone.id
      name         = zone.name
      dns_name     = zone.dns_name
      name_servers = zone.name_servers
    }
  }
}

output "records" {
  description = "ID of each record set by its key."
  value       = { for key, record in google_dns_record_set.this : key => record.id }
}

output "health_checks" {
  description = "ID of each health check by name."
  value       = { for name, check in google_compute_health_check.this : name => check.id }
}

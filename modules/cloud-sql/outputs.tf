locals {
  instances = merge({ (var.home_region) = google_sql_database_instance.home }, google_sql_database_instance.standby, google_sql_database_instance.read)

  handed_on = { for region, instance in local.instances : region => {
    id                 = instance.id
    name               = instance.name
    connection_name    = instance.connection_name
    region             = region
    role               = region == local.active ? "primary" : contains([var.home_region, var.dr_region], region) ? "dr-replica" : "replica"
    private_ip_address = instance.private_ip_address
    dns_name           = instance.dns_name
  } }
}

output "instances" {
  description = "The instances, by region: id, name, connection name, region, role (`primary`, `dr-replica` or `replica`), private address and DNS name."
  value       = local.handed_on
}

output "active" {
  description = "The primary: one of `instances`."
  value       = local.handed_on[local.active]
}

output "write_endpoint" {
  description = "DNS name that follows the primary through switchovers and failovers. Null where Cloud SQL has made none."
  value       = try(coalesce(local.instances[local.active].replication_cluster[0].psa_write_endpoint), null)
}

output "databases" {
  description = "Ids of the databases, by name."
  value       = { for name, database in google_sql_database.this : name => database.id }
}

output "users" {
  description = "Names of the users as PostgreSQL has them, by the names they have in `users`."
  value       = { for name, user in google_sql_user.this : name => user.name }
}

output "encryption_keys" {
  description = "Ids of the keys the instances are encrypted with, by region."
  value       = local.keys
}

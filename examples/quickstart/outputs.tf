output "gateways" {
  description = "URL of each region's gateway."
  value = {
    for region in [synapse_region.eu_west, synapse_region.us_east] : region.name => region.gateway_url
  }
}

output "databases" {
  description = "Which region's database is the primary and which is a standby, as of the last refresh."
  value = {
    for region in [synapse_region.eu_west, synapse_region.us_east] : region.name => region.database_role
  }
}

output "tenants" {
  description = "Where the data of each tenant lives."
  value = {
    for tenant in [synapse_tenant.acme, synapse_tenant.globex, synapse_tenant.initech] : tenant.name => {
      database = tenant.database
      schema   = tenant.schema
    }
  }
}

output "live_revisions" {
  description = "Revision of each deployment that serves."
  value = {
    for deployment in [
      synapse_service_deployment.monolith_v1,
      synapse_service_deployment.auth_v1,
      synapse_service_deployment.auth_v2,
    ] : deployment.id => deployment.live_revision
  }
}

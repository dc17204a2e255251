resource "synapse_region" "europe" {
  name = "europe"
}

resource "synapse_tenant" "acme" {
  name         = "acme"
  display_name = "Acme Logistics"
  tier         = "enterprise"

  isolation = {
    database = "silo"
    compute  = "pool"
  }

  home_region     = synapse_region.europe.name
  allowed_regions = [synapse_region.europe.name]

  quotas = {
    requests_per_second = 50
    burst               = 100
    storage_gib         = 20
  }

  offboarding = {
    grace_period = "720h"
  }
}

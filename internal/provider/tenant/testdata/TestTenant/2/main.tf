resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_tenant" "test" {
  name            = "acme"
  display_name    = "Acme Logistics"
  tier            = "enterprise"
  home_region     = synapse_region.eu.name
  allowed_regions = [synapse_region.eu.name]
  allowed_cidrs   = ["10.0.0.0/8", "127.0.0.0/8"]
  state           = "suspended"
  suspend_mode    = "read_only"

  quotas = {
    requests_per_second = 12.5
    storage_gib         = 1
  }

  offboarding = {
    grace_period = "1h30m"
  }

  labels = {
    stage = "pilot"
  }
}

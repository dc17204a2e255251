resource "synapse_region" "eu" {
  name = "eu"
}

resource "synapse_region" "us" {
  name = "us"
}

resource "synapse_service" "auth" {
  name = "auth"
}

resource "synapse_failover_policy" "test" {
  name       = "checkout"
  services   = [synapse_service.auth.name]
  preferred  = synapse_region.eu.name
  standby    = [synapse_region.us.name]
  objectives = { rto = "30s", rpo = "5s" }
}

resource "synapse_dr_drill" "test" {
  name            = "region-loss"
  failover_policy = synapse_failover_policy.test.name
  scenario        = { type = "region_loss" }
  max_duration    = "10m"
}

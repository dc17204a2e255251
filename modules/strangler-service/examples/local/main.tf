# The auth service leaves a monolith that runs outside of the platform. The platform is a synapsed on this machine.

resource "synapse_region" "this" {
  for_each = toset(["eu-west", "us-east"])

  name = each.key
}

module "auth" {
  source = "../.."

  name           = "auth"
  owner          = "identity"
  image          = "${var.registry}/auth:v1"
  require_digest = false

  regions = { for name, region in synapse_region.this : name => { min_replicas = 1 } }

  monolith = var.monolith_url == null ? null : { url = var.monolith_url }
  affinity = { key = "cookie" }

  # Seconds, so that a test is short, and requests by the dozen. The defaults are for production.
  progression = {
    revision     = var.revision
    steps        = [{ weight = 25, hold = "2s" }, { weight = 100, hold = "2s" }]
    interval     = "2s"
    min_requests = 10
    soak         = "2s"
    baseline     = 5
  }

  objectives = {
    availability = 95
    latency      = { threshold = "2.5s", objective = 90 }
  }

  drill = {
    failover_policy = synapse_failover_policy.auth.name
    region          = "us-east"
  }
}

resource "synapse_failover_policy" "auth" {
  name       = "auth"
  services   = [module.auth.service.name]
  preferred  = synapse_region.this["us-east"].name
  standby    = [synapse_region.this["eu-west"].name]
  objectives = { rto = "30s", rpo = "5s" }
  steps      = [{ type = "shift_traffic" }, { type = "verify" }]
}

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
  scenario        = { type = "region_loss", region = synapse_region.eu.name, method = "black_hole", hold = "10s" }
  objectives      = { rto = "20s", rpo = "1s" }
  steady_state    = { max_bad_percent = 0.5, max_latency = "500ms", observe = "10s" }
  stop_when       = { outage_longer_than = "1m", bad_percent = 25 }
  load            = { requests_per_second = 50, writes_per_second = 10, path = "/auth/healthz", headers = { "X-Synapse-Tenant" = "acme" } }
  max_duration    = "15m"
  schedule        = { cron = "0 3 * * 1", timezone = "Europe/Berlin", missed = "run" }

  windows = {
    allow = [{ days = ["mon", "tue"], from = "00:00", to = "06:00", timezone = "Europe/Berlin" }]
    dates = [{ from = "2026-11-20T00:00:00+01:00", to = "2026-12-27T00:00:00Z", reason = "peak season" }]
  }

  approval    = { required = true, valid_for = "24h" }
  restore     = { mode = "manual", timeout = "10m" }
  evidence    = { max_age = "720h", retain = "8760h", invalidate_on = ["policy", "deployments"] }
  on_conflict = "wait"
  on_destroy  = "refuse"
}

data "synapse_dr_drill" "test" {
  name = synapse_dr_drill.test.name
}

data "synapse_dr_drills" "test" {
  depends_on = [synapse_dr_drill.test]
}

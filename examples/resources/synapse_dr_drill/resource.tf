# The preferred region is lost on a Monday night. Applying this runs nothing.
resource "synapse_dr_drill" "region_loss" {
  name            = "region-loss"
  failover_policy = "checkout"
  scenario        = { type = "region_loss", method = "black_hole" }
  objectives      = { rto = "20s", rpo = "0s" }
  steady_state    = { max_bad_percent = 0.5, max_latency = "500ms" }
  stop_when       = { outage_longer_than = "2m" }
  max_duration    = "15m"
  schedule        = { cron = "0 3 * * 1", timezone = "Europe/Berlin" }

  windows = {
    allow = [{ days = ["mon", "tue", "wed"], from = "02:00", to = "05:00", timezone = "Europe/Berlin" }]
    dates = [{ from = "2026-11-20T00:00:00Z", to = "2026-12-27T00:00:00Z", reason = "peak season" }]
  }

  evidence = { max_age = "2160h", invalidate_on = ["policy", "deployments"] }
}

# The database answers late: no failover, and users must hardly notice.
resource "synapse_dr_drill" "slow_database" {
  name            = "slow-database"
  failover_policy = "checkout"
  scenario        = { type = "dependency_latency", latency = "100ms", hold = "1m" }
  max_duration    = "5m"
}

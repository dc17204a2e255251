# The rehearsal. Applying it runs nothing.
resource "synapse_dr_drill" "region_loss" {
  name            = "region-loss"
  failover_policy = synapse_failover_policy.core.name

  # All processes of the region are killed, its database included, and stay away until hold has passed after recovery.
  scenario = {
    type   = "region_loss"
    region = data.synapse_region.eu_west.name
    hold   = "3s"
  }

  # A client from outside sends these all the time, and writes numbered markers to the database. Its requests read tables
  # through the region that will be lost.
  load = {
    requests_per_second = var.load.requests
    writes_per_second   = var.load.writes
    path                = "/monolith/inventory"
    headers             = { X-Synapse-Tenant = "globex", X-Synapse-Prefer-Region = data.synapse_region.eu_west.name }
  }

  # Before the fault, while it stays, and after it. One machine runs everything here, the client that measures included, so
  # that some answers may be late. In production: 1 % and less.
  steady_state = { observe = "3s", max_bad_percent = 5, max_latency = "2s" }

  # What ends a run early and undoes everything.
  stop_when    = { outage_longer_than = "30s" }
  max_duration = "2m"
}

# One run of it. It does harm on purpose, undoes that, and keeps the evidence. Destroying it forgets it: the report stays on
# the server.
resource "synapse_dr_drill_run" "region_loss" {
  drill    = synapse_dr_drill.region_loss.name
  reason   = "Evidence for release ${var.release}"
  triggers = { release = var.release }
}

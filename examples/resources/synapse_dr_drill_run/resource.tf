# Runs the drill when it is created, and again whenever its definition changes.
resource "synapse_dr_drill_run" "release" {
  drill  = "region-loss"
  reason = "before the release"

  triggers = {
    release    = "2026.11"
    definition = data.synapse_dr_drill.region_loss.definition_digest
  }

  timeouts = { create = "20m" }
}

data "synapse_dr_drill" "region_loss" {
  name = "region-loss"
}

# Only looks whether a drill could run, and never fails an apply.
resource "synapse_dr_drill_run" "rehearsal" {
  drill   = "region-loss"
  mode    = "plan_only"
  fail_on = []
}

output "recovery" {
  value = "recovered within ${synapse_dr_drill_run.release.rto}, lost ${synapse_dr_drill_run.release.lost_markers} writes"
}

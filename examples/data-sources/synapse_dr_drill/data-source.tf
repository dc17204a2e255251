data "synapse_dr_drill" "region_loss" {
  name = "region-loss"
}

check "recovery_is_proven" {
  assert {
    condition     = data.synapse_dr_drill.region_loss.evidence_status == "fresh"
    error_message = "The drill was not passed lately: ${coalesce(data.synapse_dr_drill.region_loss.evidence_message, "it never ran")}."
  }
}

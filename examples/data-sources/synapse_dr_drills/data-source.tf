data "synapse_dr_drills" "all" {}

output "stale" {
  value = [for name, drill in data.synapse_dr_drills.all.dr_drills : name if drill.evidence_status != "fresh"]
}

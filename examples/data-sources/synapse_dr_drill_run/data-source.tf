data "synapse_dr_drill_run" "release" {
  name = "drill-4f1c09ab"
}

output "timeline" {
  value = [for step in data.synapse_dr_drill_run.release.timeline : "${step.step}: ${step.state}"]
}

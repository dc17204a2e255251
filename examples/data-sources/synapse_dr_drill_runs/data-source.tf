# The last five runs of a drill that were passed, the newest first.
data "synapse_dr_drill_runs" "passed" {
  drill   = "region-loss"
  verdict = "passed"
  limit   = 5
}

output "recovery_times" {
  value = data.synapse_dr_drill_runs.passed.dr_drill_runs[*].rto
}

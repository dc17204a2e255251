output "verdict" {
  description = "How the run ended: passed when all objectives were met."
  value       = synapse_dr_drill_run.region_loss.verdict
}

output "rto" {
  description = "Recovery time as the client saw it: from the last good answer before the fault to the first of the good ones after it."
  value       = synapse_dr_drill_run.region_loss.rto
}

output "rpo" {
  description = "Time whose acknowledged writes were lost."
  value       = synapse_dr_drill_run.region_loss.rpo
}

output "lost_markers" {
  description = "Acknowledged writes that were lost."
  value       = synapse_dr_drill_run.region_loss.lost_markers
}

output "report_url" {
  description = "Where the report is: steps, timeline, figures and their digests."
  value       = synapse_dr_drill_run.region_loss.report_url
}

data "synapse_dr_drill_report" "release" {
  run = "drill-4f1c09ab"

  lifecycle {
    postcondition {
      condition     = self.verified
      error_message = "The report is not what was sealed."
    }
  }
}

# The evidence for the auditor.
resource "terraform_data" "evidence" {
  input = data.synapse_dr_drill_report.release.json
}

variable "release" {
  type    = string
  default = "1"
}

variable "fail_on" {
  type    = list(string)
  default = null
}

resource "synapse_failover_policy" "test" {
  name       = "checkout"
  services   = ["auth"]
  preferred  = "eu"
  standby    = ["us"]
  objectives = { rto = "30s", rpo = "5s" }
}

resource "synapse_dr_drill" "test" {
  name            = "region-loss"
  failover_policy = synapse_failover_policy.test.name
  scenario        = { type = "region_loss" }
  max_duration    = "10m"
}

resource "synapse_dr_drill_run" "test" {
  drill    = synapse_dr_drill.test.name
  reason   = "release"
  triggers = { release = var.release, definition = synapse_dr_drill.test.definition_digest }
  fail_on  = var.fail_on
}

data "synapse_dr_drill_run" "test" {
  name = synapse_dr_drill_run.test.name
}

data "synapse_dr_drill_runs" "test" {
  drill      = synapse_dr_drill.test.name
  depends_on = [synapse_dr_drill_run.test]
}

data "synapse_dr_drill_report" "test" {
  run = synapse_dr_drill_run.test.name
}

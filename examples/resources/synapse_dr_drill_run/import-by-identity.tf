import {
  to = synapse_dr_drill_run.release
  identity = {
    name = "drill-4f1c09ab"
  }
}

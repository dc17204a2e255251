import {
  to = synapse_dr_drill_run.release
  id = "drill-4f1c09ab"
}

import {
  to = synapse_dr_drill.region_loss
  id = "region-loss"
}

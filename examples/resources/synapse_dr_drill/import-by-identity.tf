import {
  to = synapse_dr_drill.region_loss
  identity = {
    name = "region-loss"
  }
}

# By name.
terraform import synapse_dr_drill.region_loss region-loss

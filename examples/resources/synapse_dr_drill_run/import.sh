# By name.
terraform import synapse_dr_drill_run.release drill-4f1c09ab

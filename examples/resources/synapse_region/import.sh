# By name.
terraform import synapse_region.europe europe

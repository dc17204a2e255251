# By name.
terraform import synapse_traffic_split.login login

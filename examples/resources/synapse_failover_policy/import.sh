# By name.
terraform import synapse_failover_policy.checkout checkout

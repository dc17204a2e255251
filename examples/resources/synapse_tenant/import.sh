# By name.
terraform import synapse_tenant.acme acme

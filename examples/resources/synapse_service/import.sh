# By name.
terraform import synapse_service.auth auth

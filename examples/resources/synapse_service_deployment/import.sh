# By the name of the service and its own.
terraform import synapse_service_deployment.auth auth/v1

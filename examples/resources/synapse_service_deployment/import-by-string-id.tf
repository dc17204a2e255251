import {
  to = synapse_service_deployment.auth
  id = "auth/v1"
}

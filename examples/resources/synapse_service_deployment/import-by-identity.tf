import {
  to = synapse_service_deployment.auth
  identity = {
    service = "auth"
    name    = "v1"
  }
}

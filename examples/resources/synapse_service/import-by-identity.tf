import {
  to = synapse_service.auth
  identity = {
    name = "auth"
  }
}

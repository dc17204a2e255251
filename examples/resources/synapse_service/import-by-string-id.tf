import {
  to = synapse_service.auth
  id = "auth"
}

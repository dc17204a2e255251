import {
  to = synapse_tenant.acme
  identity = {
    name = "acme"
  }
}

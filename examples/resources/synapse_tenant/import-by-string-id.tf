import {
  to = synapse_tenant.acme
  id = "acme"
}

# In no plan and no state, and revoked at the end of the run.
ephemeral "synapse_tenant_credentials" "acme" {
  tenant = "acme"
  ttl    = "10m"
}

provider "postgresql" {
  host     = ephemeral.synapse_tenant_credentials.acme.host
  port     = ephemeral.synapse_tenant_credentials.acme.port
  database = ephemeral.synapse_tenant_credentials.acme.database
  username = ephemeral.synapse_tenant_credentials.acme.username
  password = ephemeral.synapse_tenant_credentials.acme.password
}

resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_tenant" "test" {
  name                = "acme"
  home_region         = synapse_region.eu.name
  deletion_protection = false

  offboarding = {
    grace_period = "0s"
  }
}

ephemeral "synapse_tenant_credentials" "test" {
  tenant = synapse_tenant.test.name
  ttl    = "5m"
}

provider "echo" {
  data = {
    username = ephemeral.synapse_tenant_credentials.test.username
    database = ephemeral.synapse_tenant_credentials.test.database
  }
}

resource "echo" "credentials" {}

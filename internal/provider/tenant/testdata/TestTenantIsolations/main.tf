resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_tenant" "pool" {
  name                = "pool"
  home_region         = synapse_region.eu.name
  deletion_protection = false
  isolation           = { database = "pool" }
  offboarding         = { grace_period = "0s" }
}

resource "synapse_tenant" "bridge" {
  name                = "bridge"
  home_region         = synapse_region.eu.name
  deletion_protection = false
  isolation           = { database = "bridge" }
  offboarding         = { grace_period = "0s" }
}

resource "synapse_tenant" "silo" {
  name                = "silo"
  home_region         = synapse_region.eu.name
  deletion_protection = false
  isolation           = { database = "silo" }
  offboarding         = { grace_period = "0s" }

  labels = {
    strict = "yes"
  }
}

data "synapse_tenants" "all" {
  depends_on = [synapse_tenant.pool, synapse_tenant.bridge, synapse_tenant.silo]
}

data "synapse_tenants" "strict" {
  labels = {
    strict = "yes"
  }

  depends_on = [synapse_tenant.silo]
}

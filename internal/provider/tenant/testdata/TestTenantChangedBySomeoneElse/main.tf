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

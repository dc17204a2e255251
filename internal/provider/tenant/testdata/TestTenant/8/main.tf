resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_tenant" "test" {
  name                = "acme"
  deletion_protection = false

  offboarding = {
    grace_period = "0s"
  }
}

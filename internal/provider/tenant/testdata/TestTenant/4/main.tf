resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_tenant" "test" {
  name = "acme"

  isolation = {
    database = "silo"
  }
}

resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_tenant" "test" {
  name            = "acme"
  home_region     = "us-east"
  allowed_regions = [synapse_region.eu.name]
}

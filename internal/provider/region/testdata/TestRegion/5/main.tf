resource "synapse_region" "test" {
  name = "eu-west"

  local = {
    gateway_port  = 17801
    database_port = 17801
  }
}

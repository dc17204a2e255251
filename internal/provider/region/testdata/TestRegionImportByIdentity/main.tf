resource "synapse_region" "test" {
  name = "eu-west"
}

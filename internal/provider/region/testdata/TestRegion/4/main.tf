resource "synapse_region" "test" {
  name = "EU West"
}

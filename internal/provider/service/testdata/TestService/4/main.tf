resource "synapse_service" "test" {
  name = "login"
}

resource "synapse_service" "test" {
  name = "login"
}

resource "synapse_service" "again" {
  name = "login"
}

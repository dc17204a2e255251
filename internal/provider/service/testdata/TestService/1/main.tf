resource "synapse_service" "test" {
  name = "auth"
}

data "synapse_service" "test" {
  name = synapse_service.test.name

  depends_on = [synapse_service.test]
}

data "synapse_services" "test" {
  depends_on = [synapse_service.test]
}

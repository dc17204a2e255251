resource "synapse_service" "auth" {
  name        = "auth"
  health_path = "/healthz"
  owner       = "identity"
}

resource "synapse_service" "test" {
  name        = "auth"
  health_path = "/ready"
  owner       = "identity"
  tenant      = "required"

  rewrite_responses = false
}

# What examples/quickstart made.
data "synapse_service_deployment" "monolith" {
  service = "monolith"
  name    = "v1"
}

data "synapse_service_deployment" "auth" {
  service = "auth"
  name    = "v1"
}

# The next version of the auth service.
resource "synapse_service_deployment" "auth_next" {
  count = var.stage == "release" ? 1 : 0

  service = "auth"
  name    = "next"
  image   = "${var.registry}/auth:v2"
  env     = { FAIL_PERCENT = tostring(var.next_fail_percent) }

  regions = {
    eu-west = { min_replicas = 1 }
    us-east = { min_replicas = 1 }
  }

  timeouts = { create = "5m" }
}

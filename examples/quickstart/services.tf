# Orders, inventory, routes and login in one process, as it all began.
resource "synapse_service" "monolith" {
  name        = "monolith"
  health_path = "/healthz"
  owner       = "platform"
}

resource "synapse_service_deployment" "monolith_v1" {
  service = synapse_service.monolith.name
  name    = "v1"
  image   = "${var.registry}/monolith:v1"

  regions = {
    (synapse_region.eu_west.name) = { min_replicas = 1 }
    (synapse_region.us_east.name) = { min_replicas = 1 }
  }

  timeouts = { create = "5m" }
}

# The login service, extracted from the monolith: same API, same tables.
resource "synapse_service" "auth" {
  name        = "auth"
  health_path = "/healthz"
  owner       = "identity"
}

resource "synapse_service_deployment" "auth_v1" {
  service = synapse_service.auth.name
  name    = "v1"
  image   = "${var.registry}/auth:v1"

  regions = {
    (synapse_region.eu_west.name) = { min_replicas = 2 }
    (synapse_region.us_east.name) = { min_replicas = 2 }
  }

  timeouts = { create = "5m" }
}

# The next version, in one region for now. A service's oldest deployment gets its traffic, so nobody notices yet.
resource "synapse_service_deployment" "auth_v2" {
  service = synapse_service.auth.name
  name    = "v2"
  image   = "${var.registry}/auth:v2"

  regions = {
    (synapse_region.eu_west.name) = { min_replicas = 1 }
  }

  timeouts = { create = "5m" }

  depends_on = [synapse_service_deployment.auth_v1]
}

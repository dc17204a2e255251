resource "synapse_service_deployment" "auth" {
  service = "auth"
  name    = "v1"
  image   = "registry.example.com/auth:v1"
  regions = {
    eu = {}
  }
}

resource "synapse_traffic_split" "test" {
  name = "login"

  route = {
    path_prefix = "/auth"
  }

  backends = {
    monolith = { role = "stable", url = "http://127.0.0.1:8080" }
    auth     = { role = "candidate", deployment = synapse_service_deployment.auth.id }
  }

  weights = {
    monolith = 90
    auth     = 10
  }
}

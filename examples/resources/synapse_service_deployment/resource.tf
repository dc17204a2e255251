resource "synapse_region" "europe" {
  name = "europe"
}

resource "synapse_service" "auth" {
  name = "auth"
}

resource "synapse_service_deployment" "auth" {
  service = synapse_service.auth.name
  name    = "v1"
  image   = "registry.example.com/auth:v1"

  regions = {
    (synapse_region.europe.name) = {
      min_replicas = 2
      max_replicas = 6
    }
  }

  env = {
    LOG_LEVEL = "info"
  }

  rollout = {
    max_surge         = 1
    progress_deadline = "2m"
    on_failure        = "rollback"
  }
}

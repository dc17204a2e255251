variable "image" {
  type = string
}

variable "broken" {
  type = string
}

resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_service" "auth" {
  name = "auth"
}

resource "synapse_service_deployment" "test" {
  service = synapse_service.auth.name
  name    = "v1"
  image   = var.broken

  regions = {
    (synapse_region.eu.name) = {}
  }

  rollout = {
    progress_deadline = "30s"
  }
}

variable "image" {
  type = string
}

variable "missing" {
  type    = string
  default = ""
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
  image   = var.missing

  regions = {
    (synapse_region.eu.name) = {}
  }
}

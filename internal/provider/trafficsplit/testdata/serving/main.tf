variable "image" {
  type = string
}

variable "candidate" {
  type    = string
  default = "v2"
}

variable "greetings" {
  type = map(string)
}

resource "synapse_region" "eu" {
  name = "eu-west"
}

resource "synapse_service" "auth" {
  name = "auth"
}

locals {
  deployments = { v1 = synapse_service_deployment.v1, v2 = synapse_service_deployment.v2 }
}

resource "synapse_service_deployment" "v1" {
  service = synapse_service.auth.name
  name    = "v1"
  image   = var.image
  regions = { (synapse_region.eu.name) = {} }
  env     = { GREETING = var.greetings["v1"] }
}

resource "synapse_service_deployment" "v2" {
  service = synapse_service.auth.name
  name    = "v2"
  image   = var.image
  regions = { (synapse_region.eu.name) = {} }
  env     = { GREETING = var.greetings["v2"] }
}

resource "synapse_slo" "login" {
  name      = "login"
  service   = synapse_service.auth.name
  sli       = "ratio"
  objective = 99
}

resource "synapse_traffic_split" "test" {
  name  = "login"
  route = { path_prefix = "/login" }

  backends = {
    for name, deployment in local.deployments :
    name => { role = name == var.candidate ? "candidate" : "stable", deployment = deployment.id }
  }

  progression = {
    revision = local.deployments[var.candidate].desired_revision
    steps    = [{ weight = 100, gate = "manual" }]
    analysis = { checks = [{ slo = synapse_slo.login.name }] }
  }
}

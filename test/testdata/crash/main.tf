terraform {
  required_version = ">= 1.9"

  required_providers {
    synapse = {
      source = "apex-innovations/synapse"
    }
  }
}

provider "synapse" {
  max_retries = 40
}

variable "registry" {
  description = "Image registry as host:port."
  type        = string
}

variable "tenants" {
  description = "How many tenants of each isolation there are."
  type        = number
  default     = 1
}

variable "release" {
  description = "Changes with every rollout."
  type        = string
  default     = "1"
}

resource "synapse_region" "eu" {
  name = "eu"
}

resource "synapse_region" "us" {
  name = "us"

  depends_on = [synapse_region.eu]
}

resource "synapse_tenant" "this" {
  for_each = merge([
    for isolation in ["pool", "bridge", "silo"] : {
      for number in range(var.tenants) : "${isolation}-${number}" => isolation
    }
  ]...)

  name        = each.key
  home_region = synapse_region.eu.name
  isolation   = { database = each.value }

  deletion_protection = false
  offboarding         = { grace_period = "0s" }
}

resource "synapse_service" "auth" {
  name = "auth"
}

resource "synapse_service_deployment" "v1" {
  service = synapse_service.auth.name
  name    = "v1"
  image   = "${var.registry}/auth:v1"
  env     = { VERSION = var.release }

  regions = {
    (synapse_region.eu.name) = { min_replicas = 2 }
    (synapse_region.us.name) = { min_replicas = 1 }
  }
}

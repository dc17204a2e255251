terraform {
  required_version = ">= 1.9"

  required_providers {
    synapse = {
      source = "apex-innovations/synapse"
    }
  }
}

variable "registry" {
  description = "Image registry as host:port."
  type        = string
}

variable "suspended" {
  description = "Whether the tenant is suspended."
  type        = bool
  default     = false
}

variable "suspend_mode" {
  description = "What a suspended tenant may still do."
  type        = string
  default     = "deny"
}

variable "requests_per_second" {
  description = "Quota of the tenant; 0 is no limit."
  type        = number
  default     = 0
}

resource "synapse_region" "eu" {
  name = "eu"
}

resource "synapse_tenant" "acme" {
  name         = "acme"
  home_region  = synapse_region.eu.name
  state        = var.suspended ? "suspended" : "active"
  suspend_mode = var.suspend_mode
  quotas       = { requests_per_second = var.requests_per_second }

  deletion_protection = false
  offboarding         = { grace_period = "0s" }
}

resource "synapse_service" "monolith" {
  name = "monolith"
}

resource "synapse_service_deployment" "v1" {
  service = synapse_service.monolith.name
  name    = "v1"
  image   = "${var.registry}/monolith:v1"
  regions = { (synapse_region.eu.name) = {} }
}

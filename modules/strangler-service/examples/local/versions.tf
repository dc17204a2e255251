terraform {
  required_version = ">= 1.11"

  required_providers {
    synapse = {
      source = "apex-innovations/synapse"
    }
  }
}

# Endpoint and token come from the environment: SYNAPSE_ENDPOINT and SYNAPSE_TOKEN.
provider "synapse" {
  default_labels = {
    example = "strangler-service"
  }
}

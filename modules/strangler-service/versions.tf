terraform {
  required_version = ">= 1.11"

  required_providers {
    synapse = {
      source = "apex-innovations/synapse"
    }
  }
}

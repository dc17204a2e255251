terraform {
  required_providers {
    synapse = {
      source = "apex-innovations/synapse"
    }
  }
}

# The token comes from SYNAPSE_TOKEN.
provider "synapse" {
  endpoint = "https://synapse.example.com"

  default_labels = {
    team = "platform"
  }
}

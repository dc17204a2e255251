provider "synapse" {
  default_labels = {
    team = "platform"
  }
}

resource "synapse_region" "test" {
  name = "eu-west"

  labels = {
    continent = "europe"
  }
}

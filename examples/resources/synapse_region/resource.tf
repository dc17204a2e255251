resource "synapse_region" "europe" {
  name = "europe"
}

# Ports that a firewall or a script relies on.
resource "synapse_region" "america" {
  name = "america"

  local = {
    gateway_port  = 7801
    database_port = 7832
  }

  labels = {
    continent = "america"
  }
}

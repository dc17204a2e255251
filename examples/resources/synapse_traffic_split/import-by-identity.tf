import {
  to = synapse_traffic_split.login
  identity = {
    name = "login"
  }
}

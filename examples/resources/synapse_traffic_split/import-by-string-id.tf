import {
  to = synapse_traffic_split.login
  id = "login"
}

import {
  to = synapse_region.europe
  identity = {
    name = "europe"
  }
}

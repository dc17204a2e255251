import {
  to = synapse_region.europe
  id = "europe"
}

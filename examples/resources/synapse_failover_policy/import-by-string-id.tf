import {
  to = synapse_failover_policy.checkout
  id = "checkout"
}

import {
  to = synapse_failover_policy.checkout
  identity = {
    name = "checkout"
  }
}

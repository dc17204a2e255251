data "synapse_readiness" "checkout" {
  policy = "checkout"
}

check "failover_would_work" {
  assert {
    condition     = data.synapse_readiness.checkout.ready
    error_message = join("\n", [for check in data.synapse_readiness.checkout.checks : "${check.name}: ${check.message}" if !check.ok])
  }
}

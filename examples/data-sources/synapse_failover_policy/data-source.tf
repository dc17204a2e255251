data "synapse_failover_policy" "checkout" {
  name = "checkout"
}

output "failovers" {
  value = [for t in data.synapse_failover_policy.checkout.transitions : "${t.started_at}: ${t.kind} from ${t.from} to ${t.to}"]
}

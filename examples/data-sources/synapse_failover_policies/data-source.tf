data "synapse_failover_policies" "all" {}

output "failed_over" {
  value = [for name, policy in data.synapse_failover_policies.all.failover_policies : name if policy.active_region != policy.preferred]
}

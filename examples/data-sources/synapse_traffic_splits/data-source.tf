data "synapse_traffic_splits" "all" {
  labels = {
    team = "identity"
  }
}

output "weights" {
  value = { for name, split in data.synapse_traffic_splits.all.traffic_splits : name => split.current_weights }
}

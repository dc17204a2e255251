data "synapse_traffic_split" "login" {
  name = "login"
}

# One line for each decision, such as "rollback: SLO login-errors: candidate 4.8 % bad over 312 requests, limit 1 %".
output "history" {
  value = [for decision in data.synapse_traffic_split.login.history : "${decision.action}: ${decision.message}"]
}

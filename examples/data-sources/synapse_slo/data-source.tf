data "synapse_slo" "login" {
  name = "login-errors"
}

output "rules" {
  value = data.synapse_slo.login.rules_yaml
}

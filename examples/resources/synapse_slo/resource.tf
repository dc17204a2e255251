resource "synapse_service" "auth" {
  name = "auth"
}

# No more than one login in a thousand may end in a server error.
resource "synapse_slo" "login_errors" {
  name      = "login-errors"
  service   = synapse_service.auth.name
  sli       = "ratio"
  objective = 99.9

  alerting = {
    page_labels = { severity = "page", team = "identity" }
    annotations = { runbook = "https://runbooks.example.com/login" }
  }
}

# 99 of 100 logins are answered within 250 ms.
resource "synapse_slo" "login_latency" {
  name      = "login-latency"
  service   = synapse_service.auth.name
  sli       = "latency"
  objective = 99
  threshold = "250ms"
}

# Rules for a Prometheus server.
output "rules" {
  value = synapse_slo.login_errors.rules_yaml
}

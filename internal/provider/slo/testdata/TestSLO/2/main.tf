resource "synapse_slo" "test" {
  name      = "login"
  service   = "auth"
  sli       = "latency"
  objective = 99.5
  threshold = "250ms"
  window    = "168h"

  alerting = {
    page_labels = { team = "identity", severity = "page" }
    annotations = { runbook = "https://runbooks.example.com/login" }
  }
}

# What users may expect of logins and sessions. The same objectives make alerts for Prometheus (rules_yaml, a rule file) and
# decide whether a progression goes on.
resource "synapse_slo" "auth_availability" {
  name      = "auth-availability"
  service   = "auth"
  sli       = "ratio"
  objective = 99
}

resource "synapse_slo" "auth_latency" {
  name      = "auth-latency"
  service   = "auth"
  sli       = "latency"
  threshold = "2.5s"
  objective = 95
}

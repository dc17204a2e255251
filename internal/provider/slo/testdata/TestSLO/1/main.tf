resource "synapse_slo" "test" {
  name      = "login"
  service   = "auth"
  sli       = "ratio"
  objective = 99.9
}

data "synapse_error_budget" "test" {
  slo = synapse_slo.test.name
}

data "synapse_slos" "test" {
  depends_on = [synapse_slo.test]
}

data "synapse_error_budget" "login" {
  slo = "login-errors"
}

check "budget" {
  assert {
    condition     = data.synapse_error_budget.login.remaining > 0
    error_message = "The error budget of the login is used up: stop releasing, and make it reliable."
  }
}

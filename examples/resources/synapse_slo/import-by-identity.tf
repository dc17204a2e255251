import {
  to = synapse_slo.login_errors
  identity = {
    name = "login-errors"
  }
}

import {
  to = synapse_slo.login_errors
  id = "login-errors"
}

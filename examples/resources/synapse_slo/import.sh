# By name.
terraform import synapse_slo.login_errors login-errors

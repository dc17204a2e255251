data "synapse_traffic_split" "login" {
  name = "login"
}

# Whether the tenant acme is among the first 5 percent.
output "acme_goes_early" {
  value = provider::synapse::cohort(data.synapse_traffic_split.login.salt, "acme") < 5 * 100
}

# What examples/quickstart made.
data "synapse_region" "eu_west" {
  name = "eu-west"
}

data "synapse_region" "us_east" {
  name = "us-east"
}

data "synapse_service" "monolith" {
  name = "monolith"
}

data "synapse_service" "auth" {
  name = "auth"
}

# How the services and the database survive the loss of eu-west.
resource "synapse_failover_policy" "core" {
  name      = "core"
  services  = [data.synapse_service.monolith.name, data.synapse_service.auth.name]
  preferred = data.synapse_region.eu_west.name
  standby   = [data.synapse_region.us_east.name]

  # Nobody is asked. The observers must agree on the loss, though: synapsed, the global entry, the gateway of us-east.
  mode      = "automatic"
  detection = { slo = synapse_slo.monolith.name }

  # A write is answered when the standby's disk has it, too: so the loss of a region loses none.
  replication = "synchronous"
  objectives  = { rto = "10s", rpo = "0s" }

  # Tenant initech may be served in eu-west only. It is held, not moved, until the database is back there.
  residency = "hold"

  # The order matters: the old primary takes no write any more before another one does, and traffic comes last.
  steps = [
    { type = "fence", timeout = "10s" },
    { type = "promote_database", timeout = "10s" },
    { type = "shift_traffic", timeout = "10s" },
    { type = "verify", timeout = "10s" },
  ]

  # Seconds, so that the demo is short. In production: long enough to trust the region again.
  failback = { mode = "automatic", stabilise_for = "10s" }
}

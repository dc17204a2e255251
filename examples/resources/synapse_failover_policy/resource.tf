resource "synapse_region" "eu" {
  name = "eu"
}

resource "synapse_region" "us" {
  name = "us"
}

resource "synapse_service" "auth" {
  name = "auth"
}

# Somebody asks for each failover, and the last writes of a lost region may be lost.
resource "synapse_failover_policy" "reports" {
  name       = "reports"
  services   = [synapse_service.auth.name]
  preferred  = synapse_region.eu.name
  standby    = [synapse_region.us.name]
  objectives = { rto = "15m", rpo = "1m" }
}

# Two of three observers decide, no acknowledged write is lost, and the preferred region takes over again by itself.
resource "synapse_failover_policy" "checkout" {
  name        = "checkout"
  services    = [synapse_service.auth.name]
  preferred   = synapse_region.eu.name
  standby     = [synapse_region.us.name]
  mode        = "automatic"
  replication = "synchronous"
  objectives  = { rto = "30s", rpo = "0s" }
  detection   = { unhealthy_for = "2s", quorum = 2 }
  preflight   = { min_ready_percent = 80, max_replication_lag = "1s" }

  steps = [
    { type = "scale", percent = 120, timeout = "1m" },
    { type = "fence" },
    { type = "promote_database" },
    { type = "shift_traffic" },
    { type = "hook", url = "https://hooks.example.com/failover" },
    { type = "verify" },
  ]

  failback = { mode = "automatic", stabilise_for = "15m" }
  limits   = { cooldown = "30m", max_automatic_per_day = 2 }
}

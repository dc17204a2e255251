resource "synapse_region" "eu" {
  name = "eu"
}

resource "synapse_region" "us" {
  name = "us"
}

resource "synapse_service" "auth" {
  name = "auth"
}

resource "synapse_slo" "login" {
  name      = "login"
  service   = synapse_service.auth.name
  sli       = "ratio"
  objective = 99.9
}

resource "synapse_failover_policy" "test" {
  name        = "checkout"
  services    = [synapse_service.auth.name]
  preferred   = synapse_region.eu.name
  standby     = [synapse_region.us.name]
  mode        = "assisted"
  replication = "synchronous"
  residency   = "hold"
  objectives  = { rto = "1m", rpo = "0s" }
  detection   = { slo = synapse_slo.login.name, unhealthy_for = "5s", quorum = 3 }
  preflight   = { min_ready_percent = 80, max_replication_lag = "1s", headroom_percent = 20 }

  steps = [
    { type = "scale", percent = 120, timeout = "2m" },
    { type = "approve" },
    { type = "fence" },
    { type = "promote_database" },
    { type = "shift_traffic" },
    { type = "hook", url = "https://hooks.example.com/failover" },
    { type = "verify" },
  ]

  failback = { mode = "automatic", stabilise_for = "10m" }
  limits   = { cooldown = "1h", max_automatic_per_day = 1 }
  labels   = { team = "identity" }
}

data "synapse_failover_policy" "test" {
  name = synapse_failover_policy.test.name
}

data "synapse_failover_policies" "test" {
  labels     = { team = "identity" }
  depends_on = [synapse_failover_policy.test]
}

data "synapse_readiness" "test" {
  policy = synapse_failover_policy.test.name
}

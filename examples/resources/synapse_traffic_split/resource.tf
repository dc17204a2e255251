# The login leaves the monolith step by step, and comes back by itself when more than 1 % of the requests fail.
resource "synapse_traffic_split" "login" {
  name = "login"

  route = {
    path_prefix = "/auth"
  }

  backends = {
    monolith = {
      role = "stable"
      url  = "http://monolith.example.internal:8080"
    }
    auth = {
      role       = "candidate"
      deployment = synapse_service_deployment.auth.id
    }
  }

  progression = {
    revision = synapse_service_deployment.auth.name
    steps    = [{ weight = 1 }, { weight = 5 }, { weight = 25 }, { weight = 50, gate = "manual" }, { weight = 100 }]
    soak     = "1h"

    analysis = {
      interval     = "1m"
      min_requests = 200
      checks = [
        { slo = synapse_slo.login_errors.name, max = 1, baseline = 0.5 },
        { slo = synapse_slo.login_latency.name, failure_limit = 1 },
      ]
    }

    windows = [{ days = ["mon", "tue", "wed", "thu"], from = "09:00", to = "16:00", timezone = "Europe/Berlin" }]
  }

  affinity = {
    key = "tenant"
  }

  # Our own tenant goes first.
  pins = {
    (synapse_tenant.internal.name) = "auth"
  }
}

resource "synapse_tenant" "internal" {
  name = "internal"
}

resource "synapse_service" "auth" {
  name = "auth"
}

resource "synapse_service_deployment" "auth" {
  service = synapse_service.auth.name
  name    = "v1"
  image   = "registry.example.com/auth:v1"
  regions = {
    europe = {}
  }
}

resource "synapse_slo" "login_errors" {
  name      = "login-errors"
  service   = synapse_service.auth.name
  sli       = "ratio"
  objective = 99.9
}

resource "synapse_slo" "login_latency" {
  name      = "login-latency"
  service   = synapse_service.auth.name
  sli       = "latency"
  objective = 99
  threshold = "250ms"
}

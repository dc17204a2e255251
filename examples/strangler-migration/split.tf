locals {
  backends = {
    migrate = {
      monolith = { role = "stable", deployment = data.synapse_service_deployment.monolith.id }
      auth     = { role = "candidate", deployment = data.synapse_service_deployment.auth.id }
    }
    release = {
      auth      = { role = "stable", deployment = data.synapse_service_deployment.auth.id }
      auth-next = { role = "candidate", deployment = one(synapse_service_deployment.auth_next[*].id) }
    }
  }
}

resource "synapse_traffic_split" "auth" {
  count = var.stage == "retired" ? 0 : 1

  name     = "auth"
  route    = { path_prefix = "/auth" }
  backends = local.backends[var.stage]

  # A user stays with the backend that answered first, as long as weights only grow.
  affinity = { key = "cookie" }

  progression = {
    revision = "${var.stage}-${var.revision}"

    steps = [
      { weight = 1 },
      { weight = 5 },
      { weight = 25 },
      { weight = 50 },
      { weight = 100 },
    ]

    # Seconds, so that the demo is short. In production: minutes, and hundreds of requests.
    analysis = {
      interval     = "2s"
      min_requests = 10

      checks = [
        { slo = synapse_slo.auth_availability.name, baseline = 0.5 },
        { slo = synapse_slo.auth_latency.name, failure_limit = 1 },
      ]
    }
  }
}

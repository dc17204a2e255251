resource "synapse_service_deployment" "auth" {
  service = "auth"
  name    = "v1"
  image   = "registry.example.com/auth:v1"
  regions = {
    eu = {}
  }
}

resource "synapse_slo" "login" {
  name      = "login"
  service   = "auth"
  sli       = "ratio"
  objective = 99
}

resource "synapse_traffic_split" "test" {
  name = "login"

  route = {
    path_prefix = "/auth"
  }

  backends = {
    monolith = { role = "stable", url = "http://127.0.0.1:8080" }
    auth     = { role = "candidate", deployment = synapse_service_deployment.auth.id }
  }

  progression = {
    revision = "r1"
    steps    = [{ weight = 5 }, { weight = 50, gate = "manual" }, { weight = 100 }]

    analysis = {
      interval = "10s"
      checks   = [{ slo = synapse_slo.login.name, baseline = 0.5 }]
    }

    windows = [{ from = "00:00", to = "24:00" }]
  }

  affinity = {
    key = "tenant"
  }
}

data "synapse_traffic_split" "test" {
  name = synapse_traffic_split.test.name
}

# Staging: production with other names and sizes, and nothing else. `make lint` compares the two.
project_id     = "synapse-staging"
project_number = "100000000002"
name           = "synapse-staging"

regions = {
  europe-west1 = {
    cidr          = "10.0.0.0/20"
    pods_cidr     = "10.64.0.0/14"
    services_cidr = "10.128.0.0/20"
    zones         = ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
    cluster       = { maintenance = { start_time = "2025-01-07T02:00:00Z", end_time = "2025-01-07T08:00:00Z", recurrence = "FREQ=WEEKLY;BYDAY=TU,WE" } }
    database      = { tier = "db-perf-optimized-N-2", disk_size = 100 }
  }
  us-east4 = {
    cidr          = "10.0.16.0/20"
    pods_cidr     = "10.68.0.0/14"
    services_cidr = "10.128.16.0/20"
    zones         = ["us-east4-a", "us-east4-b", "us-east4-c"]
    cluster       = { maintenance = { start_time = "2025-01-09T02:00:00Z", end_time = "2025-01-09T08:00:00Z", recurrence = "FREQ=WEEKLY;BYDAY=TH,FR" } }
    database      = { tier = "db-perf-optimized-N-2", disk_size = 100 }
  }
}

private_services_cidr = "10.192.0.0/16"

database = {
  home_region = "europe-west1"
  dr_region   = "us-east4"
  databases   = { synapse = {} }
  users       = { "synapsed@synapse-staging.iam" = {} }
}

load_balancer = {
  domains         = ["staging.synapse.example.com", "api.staging.synapse.example.com"]
  default_backend = "monolith"
  monolith        = { internet = { fqdn = "legacy.staging.synapse.example.com" } }

  services = {
    auth   = {}
    orders = { max_rate_per_endpoint = 100 }
  }

  routes = {
    # The first service that has left the monolith.
    auth = { priority = 100, path_prefixes = ["/login"], backends = { auth = 100 } }
    # The next one is on its way, and whoever carries the cookie is there already.
    orders-canary = { priority = 200, path_prefixes = ["/orders"], cookies = { canary = "yes" }, backends = { orders = 100 } }
    orders        = { priority = 300, path_prefixes = ["/orders"], backends = { orders = 10, monolith = 90 } }
  }
}

dns_zone = "staging.synapse.example.com."

observability = {
  channels = { team = { type = "email", target = "platform@example.com" } }
  uptime_checks = {
    entry = { host = "staging.synapse.example.com", runbook_url = "https://runbooks.example.com/entry" }
  }
}

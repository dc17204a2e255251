mock_provider "google" {
  mock_resource "google_certificate_manager_dns_authorization" {
    defaults = {
      dns_resource_record = [{ name = "_acme-challenge.app.example.com.", type = "CNAME", data = "4b7a.authorize.certificatemanager.goog." }]
    }
  }
}

variables {
  project_id = "acme-prod"
  name       = "prod"
  network    = { id = "projects/acme-prod/global/networks/prod" }

  regions = {
    europe-west1 = { zones = ["europe-west1-b"], subnet = { id = "projects/acme-prod/regions/europe-west1/subnetworks/prod" } }
    us-east1     = { zones = ["us-east1-b"], subnet = { id = "projects/acme-prod/regions/us-east1/subnetworks/prod" } }
  }

  domains         = ["app.example.com"]
  services        = { orders = {}, login = {} }
  monolith        = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" } } } }
  default_backend = "monolith"
}

run "refuses_a_project_number" {
  command = plan

  variables {
    project_id = "123456789"
  }

  expect_failures = [var.project_id]
}

run "refuses_a_long_name" {
  command = plan

  variables {
    name = "a-name-that-is-longer-than-thirty"
  }

  expect_failures = [var.name]
}

run "refuses_no_region" {
  command = plan

  variables {
    regions         = {}
    drained_regions = []
  }

  expect_failures = [var.regions]
}

run "refuses_a_region_that_is_none" {
  command = plan

  variables {
    regions = { europe = { zones = ["europe-b"], subnet = { id = "s" } } }
  }

  expect_failures = [var.regions]
}

run "refuses_a_region_without_a_zone" {
  command = plan

  variables {
    regions = { europe-west1 = { zones = [], subnet = { id = "s" } } }
  }

  expect_failures = [var.regions]
}

run "refuses_a_zone_of_another_region" {
  command = plan

  variables {
    regions = { europe-west1 = { zones = ["us-east1-b"], subnet = { id = "s" } } }
  }

  expect_failures = [var.regions]
}

run "refuses_a_long_suffix" {
  command = plan

  variables {
    regions = { europe-west1 = { zones = ["europe-west1-b"], subnet = { id = "s" }, neg_suffix = "-second" } }
  }

  expect_failures = [var.regions]
}

run "refuses_draining_an_unknown_region" {
  command = plan

  variables {
    drained_regions = ["asia-east1"]
  }

  expect_failures = [var.drained_regions]
}

run "refuses_draining_every_region" {
  command = plan

  variables {
    drained_regions = ["europe-west1", "us-east1"]
  }

  expect_failures = [var.services]
}

run "refuses_draining_every_region_of_a_service" {
  command = plan

  variables {
    drained_regions = ["us-east1"]
    services        = { orders = {}, login = { regions = { us-east1 = {} } } }
  }

  expect_failures = [var.services]
}

run "refuses_draining_the_only_region_with_a_capacity" {
  command = plan

  variables {
    drained_regions = ["us-east1"]
    services        = { orders = {}, login = { regions = { us-east1 = {}, europe-west1 = { capacity = 0 } } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_capacity_of_0_everywhere" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = { us-east1 = { capacity = 0 } } } }
  }

  expect_failures = [var.services]
}

run "refuses_no_service" {
  command = plan

  variables {
    services = {}
  }

  expect_failures = [var.services]
}

run "refuses_a_service_named_monolith" {
  command = plan

  variables {
    services = { monolith = {} }
  }

  expect_failures = [var.services]
}

run "refuses_a_service_with_capitals" {
  command = plan

  variables {
    services = { Orders = {} }
  }

  expect_failures = [var.services]
}

run "refuses_a_service_in_an_unknown_region" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = { asia-east1 = {}, us-east1 = {} } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_service_in_no_region" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = {} } }
  }

  expect_failures = [var.services]
}

run "refuses_a_capacity_below_a_tenth" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = { us-east1 = { capacity = 0.05 } } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_capacity_above_1" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = { us-east1 = { capacity = 1.5 } } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_rate_of_0" {
  command = plan

  variables {
    services = { orders = {}, login = { max_rate_per_endpoint = 0 } }
  }

  expect_failures = [var.services]
}

run "refuses_a_rate_of_0_in_a_region" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = { us-east1 = { max_rate_per_endpoint = 0 } } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_group_in_another_region" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = { us-east1 = { network_endpoint_groups = { europe-west1-b = "n" } } } } }
  }

  expect_failures = [var.services]
}

run "refuses_an_unknown_protocol" {
  command = plan

  variables {
    services = { orders = {}, login = { protocol = "TCP" } }
  }

  expect_failures = [var.services]
}

run "refuses_an_impossible_port" {
  command = plan

  variables {
    services = { orders = {}, login = { port = 70000 } }
  }

  expect_failures = [var.services]
}

run "refuses_an_impossible_timeout" {
  command = plan

  variables {
    services = { orders = {}, login = { timeout = 0 } }
  }

  expect_failures = [var.services]
}

run "refuses_an_impossible_draining_time" {
  command = plan

  variables {
    services = { orders = {}, login = { connection_draining = 7200 } }
  }

  expect_failures = [var.services]
}

run "refuses_an_unknown_locality_policy" {
  command = plan

  variables {
    services = { orders = {}, login = { locality_lb_policy = "WEIGHTED_MAGLEV" } }
  }

  expect_failures = [var.services]
}

run "refuses_an_unknown_affinity" {
  command = plan

  variables {
    services = { orders = {}, login = { session_affinity = "HTTP_COOKIE" } }
  }

  expect_failures = [var.services]
}

run "refuses_a_cookie_lifetime_without_a_cookie" {
  command = plan

  variables {
    services = { orders = {}, login = { affinity_cookie_ttl = 60 } }
  }

  expect_failures = [var.services]
}

run "refuses_a_sample_rate_above_1" {
  command = plan

  variables {
    services = { orders = {}, login = { log_sample_rate = 10 } }
  }

  expect_failures = [var.services]
}

run "refuses_a_header_without_a_value" {
  command = plan

  variables {
    services = { orders = {}, login = { custom_response_headers = ["X-Frame-Options"] } }
  }

  expect_failures = [var.services]
}

run "refuses_a_health_check_without_a_path" {
  command = plan

  variables {
    services = { orders = {}, login = { health_check = { path = "healthz" } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_health_check_that_outlasts_its_interval" {
  command = plan

  variables {
    services = { orders = {}, login = { health_check = { interval = 5, timeout = 10 } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_health_check_over_tcp" {
  command = plan

  variables {
    services = { orders = {}, login = { health_check = { protocol = "TCP" } } }
  }

  expect_failures = [var.services]
}

run "refuses_an_impossible_threshold" {
  command = plan

  variables {
    services = { orders = {}, login = { health_check = { unhealthy_threshold = 0 } } }
  }

  expect_failures = [var.services]
}

run "refuses_an_impossible_ejection" {
  command = plan

  variables {
    services = { orders = {}, login = { outlier_detection = { max_ejection_percent = 0 } } }
  }

  expect_failures = [var.services]
}

run "refuses_a_monolith_of_neither_kind" {
  command = plan

  variables {
    monolith = {}
  }

  expect_failures = [var.monolith]
}

run "refuses_a_monolith_of_both_kinds" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" } } }, internet = { fqdn = "origin.example.com" } }
  }

  expect_failures = [var.monolith]
}

run "refuses_a_monolith_without_endpoints" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = {} } }
  }

  expect_failures = [var.monolith]
}

run "refuses_an_endpoint_that_is_a_name" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "legacy", port = 443, zone = "europe-west1-b" } } } }
  }

  expect_failures = [var.monolith]
}

run "refuses_an_endpoint_in_a_region" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 443, zone = "europe-west1" } } } }
  }

  expect_failures = [var.monolith]
}

run "refuses_an_endpoint_listed_twice" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 443, zone = "europe-west1-b" }, b = { ip_address = "10.200.0.10", port = 443, zone = "europe-west1-b" } } } }
  }

  expect_failures = [var.monolith]
}

run "refuses_a_monolith_by_url" {
  command = plan

  variables {
    monolith = { internet = { fqdn = "https://origin.example.com" } }
  }

  expect_failures = [var.monolith]
}

run "refuses_a_monolith_that_is_the_load_balancer" {
  command = plan

  variables {
    monolith = { internet = { fqdn = "app.example.com" } }
  }

  expect_failures = [var.monolith]
}

run "refuses_a_monolith_over_tcp" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" } } }, protocol = "TCP" }
  }

  expect_failures = [var.monolith]
}

run "refuses_an_impossible_timeout_of_the_monolith" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" } } }, timeout = 0 }
  }

  expect_failures = [var.monolith]
}

run "refuses_a_header_of_the_monolith_without_a_value" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" } } }, custom_request_headers = ["Host"] }
  }

  expect_failures = [var.monolith]
}

run "refuses_a_health_check_of_the_monolith_without_a_path" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" } }, health_check = { path = "" } } }
  }

  expect_failures = [var.monolith]
}

run "refuses_no_domain" {
  command = plan

  variables {
    domains = []
  }

  expect_failures = [var.domains]
}

run "refuses_an_empty_domain" {
  command = plan

  variables {
    domains = [""]
  }

  expect_failures = [var.domains]
}

run "refuses_a_domain_with_a_scheme" {
  command = plan

  variables {
    domains = ["https://app.example.com", "app.example.com"]
  }

  expect_failures = [var.domains]
}

run "refuses_wildcards_only" {
  command = plan

  variables {
    domains = ["*.example.com"]
  }

  expect_failures = [var.domains]
}

run "refuses_an_unknown_default_backend" {
  command = plan

  variables {
    default_backend = "billing"
  }

  expect_failures = [var.default_backend]
}

run "refuses_a_default_backend_that_is_gone" {
  command = plan

  variables {
    monolith = null
  }

  expect_failures = [var.default_backend]
}

run "refuses_a_route_with_capitals" {
  command = plan

  variables {
    routes = { Canary = { priority = 1, path_prefixes = ["/"], backends = { login = 100 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_negative_priority" {
  command = plan

  variables {
    routes = { canary = { priority = -1, path_prefixes = ["/"], backends = { login = 100 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_shared_priority" {
  command = plan

  variables {
    routes = { a = { priority = 1, path_prefixes = ["/a"], backends = { login = 100 } }, b = { priority = 1, path_prefixes = ["/b"], backends = { login = 100 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_route_that_matches_everything" {
  command = plan

  variables {
    routes = { canary = { priority = 1, backends = { login = 100 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_path_without_a_slash" {
  command = plan

  variables {
    routes = { canary = { priority = 1, paths = ["login"], backends = { login = 100 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_header_that_matches_in_two_ways" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, headers = { x-canary = { exact = "a", regex = "b" } } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_header_that_matches_in_no_way" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, headers = { x-canary = {} } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_cookie_matched_twice" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, headers = { cookie = { regex = ".*a=b.*" } }, cookies = { c = "d" } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_route_to_an_unknown_backend" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/"], backends = { login = 90, billing = 10 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_weight_that_is_no_percent" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/"], backends = { login = 110, monolith = -10 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_broken_weight" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/"], backends = { login = 99.5, monolith = 0.5 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_weights_below_100" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/"], backends = { login = 10, monolith = 80 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_weights_above_100" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/"], backends = { login = 20, monolith = 90 } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_route_without_backends" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/"], backends = {} } }
  }

  expect_failures = [var.routes]
}

run "refuses_mirroring_to_an_unknown_backend" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, mirror = "billing" } }
  }

  expect_failures = [var.routes]
}

run "refuses_mirroring_to_an_internet_endpoint" {
  command = plan

  variables {
    monolith = { internet = { fqdn = "origin.example.com" } }
    routes   = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, mirror = "monolith" } }
  }

  expect_failures = [var.routes]
}

run "refuses_an_impossible_timeout_of_a_route" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, timeout = 0 } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_rewrite_without_a_slash" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, prefix_rewrite = "v2" } }
  }

  expect_failures = [var.routes]
}

run "refuses_an_unknown_condition_to_retry" {
  command = plan

  variables {
    routes = { canary = { priority = 1, path_prefixes = ["/login"], backends = { login = 100 }, retries = { conditions = ["timeout"] } } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_waf_rule_after_the_rate_limits" {
  command = plan

  variables {
    security = { waf_rules = { sqli-v33-stable = { priority = 30000 } } }
  }

  expect_failures = [var.security]
}

run "refuses_a_rate_limit_before_the_waf" {
  command = plan

  variables {
    security = { rate_limits = { all = { priority = 500, requests = 100 } } }
  }

  expect_failures = [var.security]
}

run "refuses_a_shared_priority_of_rules" {
  command = plan

  variables {
    security = { waf_rules = { sqli-v33-stable = { priority = 1000 }, xss-v33-stable = { priority = 1000 } } }
  }

  expect_failures = [var.security]
}

run "refuses_an_impossible_sensitivity" {
  command = plan

  variables {
    security = { waf_rules = { sqli-v33-stable = { priority = 1000, sensitivity = 5 } } }
  }

  expect_failures = [var.security]
}

run "refuses_an_impossible_interval" {
  command = plan

  variables {
    security = { rate_limits = { all = { priority = 20000, requests = 100, interval = 5 } } }
  }

  expect_failures = [var.security]
}

run "refuses_a_key_without_its_name" {
  command = plan

  variables {
    security = { rate_limits = { all = { priority = 20000, requests = 100, key = "HTTP_HEADER" } } }
  }

  expect_failures = [var.security]
}

run "refuses_a_name_without_its_key" {
  command = plan

  variables {
    security = { rate_limits = { all = { priority = 20000, requests = 100, key_name = "x-tenant" } } }
  }

  expect_failures = [var.security]
}

run "refuses_a_denied_address_without_its_length" {
  command = plan

  variables {
    security = { denied_ip_ranges = ["203.0.113.7"] }
  }

  expect_failures = [var.security]
}

run "refuses_tls_1_1" {
  command = plan

  variables {
    tls = { min_version = "TLS_1_1" }
  }

  expect_failures = [var.tls]
}

run "refuses_tls_1_3_with_old_ciphers" {
  command = plan

  variables {
    tls = { min_version = "TLS_1_3" }
  }

  expect_failures = [var.tls]
}

run "refuses_a_policy_by_name" {
  command = plan

  variables {
    service_lb_policy = "prod"
  }

  expect_failures = [var.service_lb_policy]
}

mock_provider "google" {}

variables {
  project_id = "acme-prod"
  name       = "prod"
  zones = {
    public   = { dns_name = "example.com." }
    internal = { dns_name = "internal.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"] }
  }
  health_checks = { front = { source_regions = ["us-east1", "europe-west1", "asia-east1"] } }
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

run "refuses_no_zone" {
  command = plan

  variables {
    zones = {}
  }

  expect_failures = [var.zones]
}

run "refuses_a_zone_named_by_its_domain" {
  command = plan

  variables {
    zones = { "example.com" = { dns_name = "example.com." } }
  }

  expect_failures = [var.zones]
}

run "refuses_a_domain_without_its_dot" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org" } }
  }

  expect_failures = [var.zones]
}

run "refuses_a_domain_with_capitals" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "Example.org." } }
  }

  expect_failures = [var.zones]
}

run "refuses_an_unknown_visibility" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org.", visibility = "hidden" } }
  }

  expect_failures = [var.zones]
}

run "refuses_a_private_zone_that_nobody_sees" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org.", visibility = "private" } }
  }

  expect_failures = [var.zones]
}

run "refuses_a_public_zone_with_networks" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org.", networks = ["projects/acme-prod/global/networks/prod"] } }
  }

  expect_failures = [var.zones]
}

run "refuses_the_same_public_zone_twice" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.com." } }
  }

  expect_failures = [var.zones]
}

run "refuses_the_same_private_zone_twice" {
  command = plan

  variables {
    zones = { a = { dns_name = "a.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"] }, b = { dns_name = "a.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"] } }
  }

  expect_failures = [var.zones]
}

run "refuses_signing_a_private_zone" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org.", visibility = "private", dnssec = true, networks = ["projects/acme-prod/global/networks/prod"] } }
  }

  expect_failures = [var.zones]
}

run "refuses_forwarding_from_a_public_zone" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org.", forwarding_targets = ["10.0.0.53"] } }
  }

  expect_failures = [var.zones]
}

run "refuses_forwarding_and_peering" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"], forwarding_targets = ["10.0.0.53"], peering_network = "hub" } }
  }

  expect_failures = [var.zones]
}

run "refuses_forwarding_to_a_name" {
  command = plan

  variables {
    zones = { public = { dns_name = "example.com." }, other = { dns_name = "example.org.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"], forwarding_targets = ["ns.example.org"] } }
  }

  expect_failures = [var.zones]
}

run "refuses_a_health_check_with_capitals" {
  command = plan

  variables {
    health_checks = { Front = { source_regions = ["us-east1", "europe-west1", "asia-east1"] } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_health_check_from_two_regions" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "europe-west1"] } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_health_check_from_one_region_thrice" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "us-east1", "us-east1"] } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_health_check_over_http2" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "europe-west1", "asia-east1"], protocol = "HTTP2" } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_health_check_that_is_too_frequent" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "europe-west1", "asia-east1"], interval = 10 } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_health_check_that_outlasts_its_interval" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "europe-west1", "asia-east1"], timeout = 31 } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_health_check_without_a_path" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "europe-west1", "asia-east1"], path = "healthz" } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_health_check_at_an_impossible_port" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "europe-west1", "asia-east1"], port = 0 } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_an_impossible_threshold" {
  command = plan

  variables {
    health_checks = { front = { source_regions = ["us-east1", "europe-west1", "asia-east1"], healthy_threshold = 11 } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_record_in_an_unknown_zone" {
  command = plan

  variables {
    records = { this = { zone = "other", name = "app.example.com.", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_record_in_a_zone_that_forwards" {
  command = plan

  variables {
    zones   = { legacy = { dns_name = "corp.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"], forwarding_targets = ["10.0.0.53"] } }
    records = { this = { zone = "legacy", name = "app.corp.example.com.", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_name_without_its_dot" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_name_with_capitals" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "App.example.com.", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_wildcard_in_the_middle" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.*.example.com.", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_name_outside_of_the_zone" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.org.", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_name_that_only_ends_like_the_zone" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.badexample.com.", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_record_hidden_by_a_zone_below" {
  command = plan

  variables {
    zones   = { public = { dns_name = "example.com." }, lab = { dns_name = "lab.example.com." } }
    records = { this = { zone = "public", name = "app.lab.example.com.", type = "A", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_the_same_record_twice" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", rrdatas = ["203.0.113.10"] }, that = { zone = "public", name = "app.example.com.", type = "A", rrdatas = ["203.0.113.11"] } }
  }

  expect_failures = [var.records]
}

run "refuses_an_unknown_type" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "example.com.", type = "SOA", rrdatas = ["x"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_cname_at_the_apex" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "example.com.", type = "CNAME", rrdatas = ["app.example.com."] } }
  }

  expect_failures = [var.records]
}

run "refuses_name_servers_at_the_apex" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "example.com.", type = "NS", rrdatas = ["ns1.example.net."] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_cname_beside_other_records" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", rrdatas = ["203.0.113.10"] }, that = { zone = "public", name = "app.example.com.", type = "CNAME", rrdatas = ["www.example.com."] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_ttl_of_0" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", ttl = 0, rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_ttl_above_a_week" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", ttl = 1000000, rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_record_without_data" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A" } }
  }

  expect_failures = [var.records]
}

run "refuses_a_record_with_data_and_routing" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", rrdatas = ["203.0.113.10"], routing = { policy = "wrr", answers = { a = { weight = 1, rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_record_with_no_data" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", rrdatas = [] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_cname_with_two_targets" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "CNAME", rrdatas = ["a.example.com.", "b.example.com."] } }
  }

  expect_failures = [var.records]
}

run "refuses_an_a_record_with_a_name" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", rrdatas = ["www.example.com."] } }
  }

  expect_failures = [var.records]
}

run "refuses_an_aaaa_record_with_an_ipv4_address" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "AAAA", rrdatas = ["203.0.113.10"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_cname_without_its_dot" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "CNAME", rrdatas = ["www.example.com"] } }
  }

  expect_failures = [var.records]
}

run "refuses_a_long_text" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "TXT", rrdatas = [join("", [for i in range(300) : "x"])] } }
  }

  expect_failures = [var.records]
}

run "refuses_an_unknown_policy" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "random", answers = { a = { rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_policy_without_answers" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", answers = {} } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_backup_without_a_primary" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "primary_backup", answers = { us-east1 = { rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_primary_without_a_backup_policy" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", health_check = "front", answers = { us-east1 = { rrdatas = ["203.0.113.10"] } }, primary = { external_endpoints = ["203.0.113.10"] } } } }
  }

  expect_failures = [var.records]
}

run "refuses_an_answer_without_a_weight" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "wrr", answers = { a = { rrdatas = ["203.0.113.10"] }, b = { weight = 1, rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_negative_weight" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "wrr", answers = { a = { weight = -1, rrdatas = ["203.0.113.10"] }, b = { weight = 2, rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_weights_of_0" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "wrr", answers = { a = { weight = 0, rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_an_answer_for_a_continent" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", answers = { europe = { rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_trickle_above_1" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "primary_backup", health_check = "front", trickle_ratio = 5, answers = { us-east1 = { rrdatas = ["203.0.113.10"] } }, primary = { external_endpoints = ["203.0.113.10"] } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_trickle_of_weights" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "wrr", trickle_ratio = 0.1, answers = { a = { weight = 1, rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_an_answer_of_two_kinds" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", health_check = "front", answers = { us-east1 = { rrdatas = ["203.0.113.10"], external_endpoints = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_an_empty_answer" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", answers = { us-east1 = {} } } } }
  }

  expect_failures = [var.records]
}

run "refuses_an_empty_primary" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "primary_backup", answers = { us-east1 = { rrdatas = ["203.0.113.10"] } }, primary = {} } } }
  }

  expect_failures = [var.records]
}

run "refuses_external_endpoints_without_a_health_check" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", answers = { us-east1 = { external_endpoints = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_health_check_of_nothing" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", health_check = "front", answers = { us-east1 = { rrdatas = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_an_unknown_health_check" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", health_check = "back", answers = { us-east1 = { external_endpoints = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_external_endpoints_in_a_private_zone" {
  command = plan

  variables {
    records = { this = { zone = "internal", name = "app.internal.example.com.", type = "A", routing = { policy = "geo", health_check = "front", answers = { us-east1 = { external_endpoints = ["203.0.113.10"] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_internal_load_balancers_in_a_public_zone" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "A", routing = { policy = "geo", answers = { us-east1 = { internal_load_balancers = { a = { type = "regionalL4ilb", ip_address = "10.10.0.5", port = 80, network = "n", region = "us-east1" } } } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_health_check_of_a_cname" {
  command = plan

  variables {
    records = { this = { zone = "public", name = "app.example.com.", type = "CNAME", routing = { policy = "geo", health_check = "front", answers = { us-east1 = { external_endpoints = ["a.example.com."] } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_load_balancer_of_unknown_type" {
  command = plan

  variables {
    records = { this = { zone = "internal", name = "app.internal.example.com.", type = "A", routing = { policy = "geo", answers = { us-east1 = { internal_load_balancers = { a = { type = "l4", ip_address = "10.10.0.5", port = 80, network = "n", region = "us-east1" } } } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_a_primary_load_balancer_without_its_region" {
  command = plan

  variables {
    records = { this = { zone = "internal", name = "app.internal.example.com.", type = "A", routing = { policy = "primary_backup", answers = { us-east1 = { rrdatas = ["203.0.113.10"] } }, primary = { internal_load_balancers = { a = { type = "regionalL4ilb", ip_address = "10.10.0.5", port = 80, network = "n" } } } } } }
  }

  expect_failures = [var.records]
}

run "refuses_an_authorization_in_a_private_zone" {
  command = plan

  variables {
    authorizations = { app = { zone = "internal", name = "_acme-challenge.app.internal.example.com.", data = "4b7a.authorize.certificatemanager.goog." } }
  }

  expect_failures = [var.authorizations]
}

run "refuses_an_authorization_of_another_domain" {
  command = plan

  variables {
    authorizations = { app = { zone = "public", name = "_acme-challenge.app.example.org.", data = "4b7a.authorize.certificatemanager.goog." } }
  }

  expect_failures = [var.authorizations]
}

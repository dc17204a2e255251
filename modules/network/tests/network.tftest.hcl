mock_provider "google" {
  mock_resource "google_compute_network" {
    defaults = {
      id        = "projects/apex-prod/global/networks/apex"
      self_link = "https://www.googleapis.com/compute/v1/projects/apex-prod/global/networks/apex"
    }
  }

  mock_resource "google_compute_subnetwork" {
    defaults = {
      id        = "projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1"
      self_link = "https://www.googleapis.com/compute/v1/projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1"
    }
  }

  mock_resource "google_service_networking_connection" {
    defaults = {
      id      = "projects%2Fapex-prod%2Fglobal%2Fnetworks%2Fapex:servicenetworking.googleapis.com"
      peering = "servicenetworking-googleapis-com"
    }
  }

  mock_resource "google_compute_address" {
    defaults = {
      id = "projects/apex-prod/regions/europe-west1/addresses/apex-europe-west1-nat-0"
    }
  }
}

variables {
  project_id = "apex-prod"
  name       = "apex"

  regions = {
    europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20", proxy_only_cidr = "10.130.0.0/23" }
    us-east4     = { cidr = "10.0.16.0/20", pods_cidr = "10.68.0.0/14", services_cidr = "10.128.16.0/20" }
  }

  private_services_access = { cidr = "10.192.0.0/16" }
}

run "is_private_and_logged_by_default" {
  command = plan

  assert {
    condition     = !google_compute_network.this.auto_create_subnetworks && google_compute_network.this.routing_mode == "GLOBAL"
    error_message = "The network is not of custom mode with global routing."
  }

  assert {
    condition     = alltrue([for it in google_compute_subnetwork.this : it.private_ip_google_access && it.log_config[0].flow_sampling == 0.5])
    error_message = "A subnet is without private access to Google, or without flow logs."
  }

  assert {
    condition     = google_compute_firewall.deny_ingress.priority == 65534 && length(google_compute_firewall.deny_ingress.log_config) == 1 && one(google_compute_firewall.deny_ingress.deny).protocol == "all"
    error_message = "What no rule allows is not denied and logged."
  }

  assert {
    condition = alltrue([for region, it in google_compute_firewall.health_checks :
      it.source_ranges == toset(["130.211.0.0/22", "35.191.0.0/16"]) && it.destination_ranges == toset([var.regions[region].pods_cidr])
    ])
    error_message = "Health checks come from elsewhere, or reach more than pods."
  }

  assert {
    condition     = length(google_compute_firewall.iap) == 0 && length(google_compute_firewall.rules) == 0
    error_message = "A door is open that nobody asked for."
  }

  assert {
    condition     = alltrue([for it in google_compute_router_nat.this : one(it.log_config).filter == "ERRORS_ONLY" && it.nat_ip_allocate_option == "AUTO_ONLY" && it.source_subnetwork_ip_ranges_to_nat == "ALL_SUBNETWORKS_ALL_IP_RANGES"])
    error_message = "Cloud NAT does not cover all ranges, or does not log its errors."
  }
}

run "reserves_a_range_for_private_services_and_lets_a_destroy_end" {
  command = plan

  assert {
    condition     = google_compute_global_address.private_services["this"].address == "10.192.0.0" && google_compute_global_address.private_services["this"].prefix_length == 16
    error_message = "The range reserved is not the one given."
  }

  assert {
    condition     = google_service_networking_connection.this["this"].deletion_policy == "REMOVE_PEERING" && google_service_networking_connection.this["this"].update_on_creation_fail
    error_message = "The connection would hold up a destroy."
  }

  assert {
    condition     = length(google_compute_network_peering_routes_config.private_services) == 0
    error_message = "Custom routes are exported unasked."
  }
}

run "hands_on_what_the_next_module_needs" {
  command = apply

  assert {
    condition     = output.network.id == "projects/apex-prod/global/networks/apex" && output.network.name == "apex" && endswith(output.network.private_services_connection, ":servicenetworking.googleapis.com")
    error_message = "The network that is handed on is incomplete."
  }

  assert {
    condition = output.subnets["us-east4"] == {
      id                  = "projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1"
      self_link           = "https://www.googleapis.com/compute/v1/projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1"
      name                = "apex-us-east4"
      region              = "us-east4"
      cidr                = "10.0.16.0/20"
      pods_range_name     = "pods"
      services_range_name = "services"
    }
    error_message = "The subnet that is handed on is incomplete."
  }
}

run "a_region_has_keys_of_its_own" {
  command = plan

  variables {
    regions = {
      asia-east1   = { cidr = "10.0.32.0/20", pods_cidr = "10.72.0.0/14", services_cidr = "10.128.32.0/20" }
      europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20", proxy_only_cidr = "10.130.0.0/23" }
      us-east4     = { cidr = "10.0.16.0/20", pods_cidr = "10.68.0.0/14", services_cidr = "10.128.16.0/20" }
    }
    nat = { static_addresses = 2 }
  }

  assert {
    condition     = keys(google_compute_subnetwork.this) == ["asia-east1", "europe-west1", "us-east4"] && keys(google_compute_firewall.health_checks) == ["asia-east1", "europe-west1", "us-east4"]
    error_message = "Regions do not key what is theirs."
  }

  assert {
    condition     = keys(google_compute_address.nat) == ["asia-east1/0", "asia-east1/1", "europe-west1/0", "europe-west1/1", "us-east4/0", "us-east4/1"]
    error_message = "Addresses are not keyed by region and number."
  }

  assert {
    condition     = google_compute_router_nat.this["us-east4"].nat_ip_allocate_option == "MANUAL_ONLY" && google_compute_firewall.health_checks["us-east4"].destination_ranges == toset(["10.68.0.0/14"])
    error_message = "A region depends on another one."
  }

  assert {
    condition     = keys(google_compute_subnetwork.proxy_only) == ["europe-west1"] && google_compute_firewall.proxies["europe-west1"].source_ranges == toset(["10.130.0.0/23"])
    error_message = "The subnet of the proxies, or the rule that lets them in, is not where it was asked for."
  }
}

run "opens_what_is_asked_for" {
  command = plan

  variables {
    private_services_access = { cidr = "10.192.0.0/16", export_custom_routes = true, deletion_policy = "PREVENT" }
    flow_logs               = null
    nat                     = null
    firewall = {
      health_check_ports = []
      proxy_ports        = []
      iap                = { target_service_accounts = ["bastion@apex-prod.iam.gserviceaccount.com"] }
      rules = {
        monolith = { description = "The monolith to its services", allow = { tcp = ["8443"], icmp = [] }, source_ranges = ["192.168.0.0/24"], destination_ranges = ["10.64.0.0/14"] }
      }
    }
  }

  assert {
    condition     = length(google_compute_router.this) == 0 && length(google_compute_router_nat.this) == 0 && length(google_compute_firewall.health_checks) == 0 && length(google_compute_firewall.proxies) == 0
    error_message = "Something that was left out is there."
  }

  assert {
    condition     = length(google_compute_subnetwork.this["us-east4"].log_config) == 0
    error_message = "Flow logs are on."
  }

  assert {
    condition     = google_compute_firewall.iap["this"].source_ranges == toset(["35.235.240.0/20"]) && length(google_compute_firewall.iap["this"].target_service_accounts) == 1
    error_message = "Identity-Aware Proxy reaches the wrong machines."
  }

  assert {
    condition     = google_compute_firewall.rules["monolith"].name == "apex-allow-monolith" && length(google_compute_firewall.rules["monolith"].allow) == 2
    error_message = "The rule is not the one that was written."
  }

  assert {
    condition     = google_compute_network_peering_routes_config.private_services["this"].export_custom_routes && google_service_networking_connection.this["this"].deletion_policy == "PREVENT"
    error_message = "Private services access is not as asked for."
  }
}

run "does_without_private_services" {
  command = plan

  variables {
    private_services_access = null
  }

  assert {
    condition     = output.network.private_services_connection == null
    error_message = "There is a connection that nobody asked for."
  }
}

run "refuses_a_project_number" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "refuses_a_name_that_is_too_long_for_a_prefix" {
  command = plan

  variables {
    name = "a-name-of-twenty-six-chars"
  }

  expect_failures = [var.name]
}

run "refuses_no_region" {
  command = plan

  variables {
    regions = {}
  }

  expect_failures = [var.regions]
}

run "refuses_a_zone_as_a_region" {
  command = plan

  variables {
    regions = { europe-west1-b = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20" } }
  }

  expect_failures = [var.regions]
}

run "refuses_a_policy_that_does_not_exist" {
  command = plan

  variables {
    private_services_access = { cidr = "10.192.0.0/16", deletion_policy = "KEEP" }
  }

  expect_failures = [var.private_services_access]
}

run "refuses_to_sample_nothing" {
  command = plan

  variables {
    flow_logs = { sampling = 0 }
  }

  expect_failures = [var.flow_logs]
}

run "refuses_an_interval_that_does_not_exist" {
  command = plan

  variables {
    flow_logs = { aggregation_interval = "1m" }
  }

  expect_failures = [var.flow_logs]
}

run "refuses_metadata_that_does_not_exist" {
  command = plan

  variables {
    flow_logs = { metadata = "ALL" }
  }

  expect_failures = [var.flow_logs]
}

run "refuses_half_an_address" {
  command = plan

  variables {
    nat = { static_addresses = 1.5 }
  }

  expect_failures = [var.nat]
}

run "refuses_ports_that_are_no_power_of_two" {
  command = plan

  variables {
    nat = { min_ports_per_vm = 100 }
  }

  expect_failures = [var.nat]
}

run "refuses_fewer_ports_at_most_than_at_least" {
  command = plan

  variables {
    nat = { min_ports_per_vm = 1024, max_ports_per_vm = 512 }
  }

  expect_failures = [var.nat]
}

run "refuses_a_log_filter_that_does_not_exist" {
  command = plan

  variables {
    nat = { log_filter = "NONE" }
  }

  expect_failures = [var.nat]
}

run "refuses_identity_aware_proxy_to_every_machine" {
  command = plan

  variables {
    firewall = { iap = { target_service_accounts = [] } }
  }

  expect_failures = [var.firewall]
}

run "refuses_a_rule_without_a_proper_name" {
  command = plan

  variables {
    firewall = { rules = { "The Monolith" = { description = "", allow = { tcp = ["443"] }, source_ranges = ["192.168.0.0/24"] } } }
  }

  expect_failures = [var.firewall]
}

run "refuses_a_rule_open_to_the_internet" {
  command = plan

  variables {
    firewall = { rules = { all = { description = "", allow = { tcp = ["443"] }, source_ranges = ["0.0.0.0/0"] } } }
  }

  expect_failures = [var.firewall]
}

run "refuses_a_rule_without_a_source" {
  command = plan

  variables {
    firewall = { rules = { nothing = { description = "", allow = { tcp = ["443"] }, source_ranges = [] } } }
  }

  expect_failures = [var.firewall]
}

run "refuses_a_rule_that_allows_nothing" {
  command = plan

  variables {
    firewall = { rules = { nothing = { description = "", allow = {}, source_ranges = ["192.168.0.0/24"] } } }
  }

  expect_failures = [var.firewall]
}

run "refuses_a_rule_below_the_one_that_denies" {
  command = plan

  variables {
    firewall = { rules = { late = { description = "", allow = { tcp = ["443"] }, source_ranges = ["192.168.0.0/24"], priority = 65534 } } }
  }

  expect_failures = [var.firewall]
}

mock_provider "google" {}

variables {
  project_id = "apex-prod"
  name       = "apex"

  regions = {
    europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20", proxy_only_cidr = "10.130.0.0/23" }
    us-east4     = { cidr = "10.0.16.0/20", pods_cidr = "10.68.0.0/14", services_cidr = "10.128.16.0/20" }
  }

  private_services_access = { cidr = "10.192.0.0/16" }
  reserved_cidrs          = { office = "192.168.0.0/16" }
}

run "neighbours_do_not_overlap" {
  command = plan

  variables {
    regions = {
      europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.1.0.0/16", services_cidr = "10.0.32.0/20", proxy_only_cidr = "10.0.30.0/23" }
      us-east4     = { cidr = "10.0.16.0/21", pods_cidr = "10.2.0.0/16", services_cidr = "10.0.48.0/20", proxy_only_cidr = "10.0.28.0/23" }
    }
    private_services_access = { cidr = "10.3.0.0/16" }
    reserved_cidrs          = { below = "9.0.0.0/8", above = "10.4.0.0/14", top = "255.255.255.0/24", bottom = "0.0.0.0/8" }
  }

  assert {
    condition     = length(local.overlaps) == 0
    error_message = "Ranges that only touch are said to overlap: ${join("; ", local.overlaps)}"
  }
}

run "networks_are_counted_from_their_first_to_their_last_address" {
  command = plan

  assert {
    condition     = local.spans["regions[\"us-east4\"].cidr"].first == 167776256 && local.spans["regions[\"us-east4\"].cidr"].last == 167780351
    error_message = "10.0.16.0/20 goes from 167776256 to 167780351."
  }

  assert {
    condition     = local.spans["reserved_cidrs[\"office\"]"].last == 3232301055
    error_message = "192.168.0.0/16 ends at 3232301055."
  }
}

run "refuses_the_same_range_twice" {
  command = plan

  variables {
    regions = {
      europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20" }
      us-east4     = { cidr = "10.0.0.0/20", pods_cidr = "10.68.0.0/14", services_cidr = "10.128.16.0/20" }
    }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_a_range_inside_one_named_before_it" {
  command = plan

  variables {
    regions = {
      europe-west1 = { cidr = "10.0.0.0/16", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20" }
      us-east4     = { cidr = "10.0.16.0/20", pods_cidr = "10.68.0.0/14", services_cidr = "10.128.16.0/20" }
    }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_a_range_inside_one_named_after_it" {
  command = plan

  variables {
    regions = {
      europe-west1 = { cidr = "10.0.16.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20" }
      us-east4     = { cidr = "10.0.0.0/16", pods_cidr = "10.68.0.0/14", services_cidr = "10.128.16.0/20" }
    }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_pods_among_services_of_the_same_region" {
  command = plan

  variables {
    regions = { europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.67.240.0/20" } }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_private_services_among_pods" {
  command = plan

  variables {
    private_services_access = { cidr = "10.71.0.0/16" }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_a_proxy_range_in_the_range_of_private_services" {
  command = plan

  variables {
    private_services_access = { cidr = "10.130.0.0/16" }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_what_is_reserved_elsewhere" {
  command = plan

  variables {
    reserved_cidrs = { office = "10.0.31.0/24" }
  }

  expect_failures = [google_compute_network.this]
}

run "names_both_ranges" {
  command = plan

  variables {
    reserved_cidrs = { office = "10.0.31.0/24", home = "10.0.31.0/24" }
  }

  # The assertion is on what the message is made of: a test can say that a precondition fails, but not with which words.
  expect_failures = [google_compute_network.this]

  assert {
    condition     = local.overlaps == ["regions[\"us-east4\"].cidr (10.0.16.0/20) and reserved_cidrs[\"home\"] (10.0.31.0/24)", "regions[\"us-east4\"].cidr (10.0.16.0/20) and reserved_cidrs[\"office\"] (10.0.31.0/24)"]
    error_message = "Overlaps are ${jsonencode(local.overlaps)}."
  }
}

run "refuses_an_address_inside_a_network" {
  command = plan

  variables {
    private_services_access = { cidr = "10.192.0.1/16" }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_version_six" {
  command = plan

  variables {
    reserved_cidrs = { office = "fd00::/48" }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_what_is_no_range" {
  command = plan

  variables {
    private_services_access = { cidr = "sixteen" }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_a_subnet_that_is_too_small" {
  command = plan

  variables {
    regions = { europe-west1 = { cidr = "10.0.0.0/30", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20" } }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_pods_in_a_range_that_is_too_small" {
  command = plan

  variables {
    regions = { europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/25", services_cidr = "10.128.0.0/20" } }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_services_in_a_range_that_is_too_large" {
  command = plan

  variables {
    regions = { europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/15" } }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_proxies_in_a_range_that_is_too_small" {
  command = plan

  variables {
    regions = { europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20", proxy_only_cidr = "10.130.0.0/27" } }
  }

  expect_failures = [google_compute_network.this]
}

run "refuses_private_services_in_a_range_that_is_too_small" {
  command = plan

  variables {
    private_services_access = { cidr = "10.192.0.0/25" }
  }

  expect_failures = [google_compute_network.this]
}

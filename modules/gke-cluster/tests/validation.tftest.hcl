mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      email  = "apex-nodes@apex-prod.iam.gserviceaccount.com"
      member = "serviceAccount:apex-nodes@apex-prod.iam.gserviceaccount.com"
    }
  }
}

variables {
  project_id     = "apex-prod"
  project_number = "123456789012"
  name           = "apex"
  region         = "europe-west1"
  network        = { id = "projects/apex-prod/global/networks/apex" }
  subnet         = { id = "projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1", pods_range_name = "pods", services_range_name = "services" }
}

run "refuses_a_project_number_as_an_id" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "refuses_a_project_id_as_a_number" {
  command = plan

  variables {
    project_number = "apex-prod"
  }

  expect_failures = [var.project_number]
}

run "refuses_a_name_that_is_too_long" {
  command = plan

  variables {
    name = "a-name-of-more-than-the-forty-characters-x"
  }

  expect_failures = [var.name]
}

run "refuses_a_zone_as_a_region" {
  command = plan

  variables {
    region = "europe-west1-b"
  }

  expect_failures = [var.region]
}

run "refuses_a_single_zone" {
  command = plan

  variables {
    zones = ["europe-west1-b"]
  }

  expect_failures = [var.zones]
}

run "refuses_zones_of_another_region" {
  command = plan

  variables {
    zones = ["us-east4-a", "us-east4-b"]
  }

  expect_failures = [var.zones]
}

run "refuses_a_mode_that_does_not_exist" {
  command = plan

  variables {
    mode = "serverless"
  }

  expect_failures = [var.mode]
}

run "refuses_pools_on_autopilot" {
  command = plan

  variables {
    node_pools = { general = {} }
  }

  expect_failures = [var.node_pools]
}

run "refuses_standard_without_pools" {
  command = plan

  variables {
    mode = "standard"
  }

  expect_failures = [var.node_pools]
}

run "refuses_a_pool_without_a_proper_name" {
  command = plan

  variables {
    mode       = "standard"
    node_pools = { General = {} }
  }

  expect_failures = [var.node_pools]
}

run "refuses_bounds_that_no_number_is_in" {
  command = plan

  variables {
    mode       = "standard"
    node_pools = { general = { nodes_per_zone = { min = 4 } } }
  }

  expect_failures = [var.node_pools]
}

run "refuses_upgrades_that_never_move" {
  command = plan

  variables {
    mode       = "standard"
    node_pools = { general = { surge = { max_surge = 0 } } }
  }

  expect_failures = [var.node_pools]
}

run "refuses_a_batch_larger_than_the_pool" {
  command = plan

  variables {
    mode       = "standard"
    node_pools = { general = { blue_green = { batch_percentage = 25 } } }
  }

  expect_failures = [var.node_pools]
}

run "refuses_an_effect_that_does_not_exist" {
  command = plan

  variables {
    mode       = "standard"
    node_pools = { general = { taints = [{ key = "a", value = "b", effect = "NoSchedule" }] } }
  }

  expect_failures = [var.node_pools]
}

run "refuses_too_few_pods_on_a_node" {
  command = plan

  variables {
    mode       = "standard"
    node_pools = { general = { max_pods = 4 } }
  }

  expect_failures = [var.node_pools]
}

run "refuses_nodes_that_may_edit_the_project" {
  command = plan

  variables {
    node_roles = ["roles/editor"]
  }

  expect_failures = [var.node_roles]
}

run "refuses_a_channel_that_does_not_exist" {
  command = plan

  variables {
    release_channel = "NONE"
  }

  expect_failures = [var.release_channel]
}

run "refuses_a_year_between_upgrades" {
  command = plan

  variables {
    maintenance = { minor_interval_days = 365 }
  }

  expect_failures = [var.maintenance]
}

run "refuses_a_window_that_is_too_short" {
  command = plan

  variables {
    maintenance = { start_time = "2025-01-04T02:00:00Z", end_time = "2025-01-04T04:00:00Z" }
  }

  expect_failures = [var.maintenance]
}

run "refuses_a_window_that_is_not_a_time" {
  command = plan

  variables {
    maintenance = { start_time = "02:00" }
  }

  expect_failures = [var.maintenance]
}

run "refuses_a_recurrence_that_is_not_a_rule" {
  command = plan

  variables {
    maintenance = { recurrence = "every weekend" }
  }

  expect_failures = [var.maintenance]
}

run "refuses_an_exclusion_that_ends_before_it_starts" {
  command = plan

  variables {
    maintenance = { exclusions = { x = { start_time = "2026-12-02T00:00:00Z", end_time = "2026-11-20T00:00:00Z" } } }
  }

  expect_failures = [var.maintenance]
}

run "refuses_a_scope_that_does_not_exist" {
  command = plan

  variables {
    maintenance = { exclusions = { x = { start_time = "2026-11-20T00:00:00Z", end_time = "2026-12-02T00:00:00Z", scope = "ALL" } } }
  }

  expect_failures = [var.maintenance]
}

run "refuses_no_upgrades_for_half_a_year" {
  command = plan

  variables {
    maintenance = { exclusions = { x = { start_time = "2026-01-01T00:00:00Z", end_time = "2026-07-01T00:00:00Z" } } }
  }

  expect_failures = [var.maintenance]
}

run "refuses_a_control_plane_that_nobody_reaches" {
  command = plan

  variables {
    control_plane = { dns_endpoint = false }
  }

  expect_failures = [var.control_plane]
}

run "refuses_the_whole_internet" {
  command = plan

  variables {
    control_plane = { ip_endpoints = { public = true, authorized_networks = { all = "0.0.0.0/0" } } }
  }

  expect_failures = [var.control_plane]
}

run "refuses_a_public_endpoint_for_nobody" {
  command = plan

  variables {
    control_plane = { ip_endpoints = { public = true } }
  }

  expect_failures = [var.control_plane]
}

run "refuses_a_fleet_that_is_no_project" {
  command = plan

  variables {
    fleet = "projects/apex-fleet"
  }

  expect_failures = [var.fleet]
}

run "refuses_a_key_of_another_region" {
  command = plan

  variables {
    encryption_key = "projects/apex-keys/locations/us-east4/keyRings/gke/cryptoKeys/secrets"
  }

  expect_failures = [var.encryption_key]
}

run "refuses_a_key_ring_without_a_proper_name" {
  command = plan

  variables {
    key_ring = { name = "a ring" }
  }

  expect_failures = [var.key_ring]
}

run "refuses_a_key_that_rotates_every_hour" {
  command = plan

  variables {
    key_ring = { rotation_period = "3600s" }
  }

  expect_failures = [var.key_ring]
}

run "refuses_observing_nothing_of_the_system" {
  command = plan

  variables {
    observability = { logs = ["WORKLOADS"] }
  }

  expect_failures = [var.observability]
}

run "refuses_a_posture_that_does_not_exist" {
  command = plan

  variables {
    security = { posture = "ADVANCED" }
  }

  expect_failures = [var.security]
}

run "refuses_scanning_that_does_not_exist" {
  command = plan

  variables {
    security = { vulnerability_scanning = "VULNERABILITY_BASIC" }
  }

  expect_failures = [var.security]
}

run "refuses_another_group" {
  command = plan

  variables {
    security = { google_group = "admins@apex.example" }
  }

  expect_failures = [var.security]
}

run "refuses_a_topic_without_a_project" {
  command = plan

  variables {
    notifications = { topic = "gke" }
  }

  expect_failures = [var.notifications]
}

run "refuses_events_that_do_not_exist" {
  command = plan

  variables {
    notifications = { topic = "projects/apex-prod/topics/gke", events = ["ALL"] }
  }

  expect_failures = [var.notifications]
}

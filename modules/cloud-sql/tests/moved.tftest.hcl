# As Cloud SQL says after the control plane has switched over.
mock_provider "google" {}

override_resource {
  target = google_sql_database_instance.home
  values = { master_instance_name = "orders-us-east1" }
}

variables {
  project_id     = "apex-prod"
  project_number = "123456789012"
  name           = "orders"
  network = {
    id                          = "projects/apex-prod/global/networks/main"
    private_services_connection = "projects/apex-prod/global/networks/main:servicenetworking.googleapis.com"
  }
  instances = {
    us-central1 = { tier = "db-perf-optimized-N-4" }
    us-east1    = { tier = "db-perf-optimized-N-4" }
  }
  home_region = "us-central1"
  passwords   = {}
  dr_region   = "us-east1"

  designate_dr_replica = true
}

run "has_home" {
  variables {
    designate_dr_replica = false
  }

  plan_options {
    target = [google_sql_database_instance.home]
  }
}

run "refuses_to_take_home_for_the_primary" {
  command = plan

  expect_failures = [google_sql_database_instance.standby]
}

run "has_nothing_to_switch_when_the_dr_region_is_named" {
  command = plan

  variables {
    active_region = "us-east1"
  }

  assert {
    condition     = google_sql_database_instance.home.master_instance_name == "orders-us-east1" && output.active.name == "orders-us-east1"
    error_message = "A primary that moved already must stay where it is."
  }
}

run "switches_back_when_home_is_named" {
  command = plan

  variables {
    active_region = "us-central1"
  }

  assert {
    condition     = google_sql_database_instance.home.instance_type == "CLOUD_SQL_INSTANCE" && google_sql_database_instance.home.replica_names == tolist(["orders-us-east1"])
    error_message = "Home must name its replica to be switched back: without it the provider promotes and splits the pair."
  }
}

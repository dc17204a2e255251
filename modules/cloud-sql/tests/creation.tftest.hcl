mock_provider "google" {}

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
}

run "has_home" {
  variables {
    designate_dr_replica = false
  }

  plan_options {
    target = [google_sql_database_instance.home]
  }
}

# Without the name of its primary the DR replica would be created as another primary, an empty one.
run "refuses_to_designate_what_home_has_not" {
  command = plan

  variables {
    designate_dr_replica = true
  }

  expect_failures = [google_sql_database_instance.standby]
}

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

# Otherwise there would be two primaries, one of them empty.
run "refuses_to_create_the_dr_replica_as_the_primary" {
  variables {
    active_region = "us-east1"
  }

  expect_failures = [google_sql_database_instance.home]
}

mock_provider "google" {}

variables {
  project_id     = "apex-dev"
  project_number = "123456789012"
  name           = "orders"
  network = {
    id                          = "projects/apex-dev/global/networks/main"
    private_services_connection = "projects/apex-dev/global/networks/main:servicenetworking.googleapis.com"
  }
  edition = "ENTERPRISE"
  instances = {
    us-central1 = { tier = "db-custom-2-8192", availability_type = "ZONAL" }
  }
  home_region = "us-central1"
  passwords   = {}
}

run "is_one_small_instance" {
  assert {
    condition     = length(google_sql_database_instance.standby) == 0 && length(google_sql_database_instance.read) == 0 && google_sql_database_instance.home.settings[0].availability_type == "ZONAL"
    error_message = "One region must be one instance."
  }

  assert {
    condition     = google_sql_database_instance.home.settings[0].backup_configuration[0].transaction_log_retention_days == 7
    error_message = "Enterprise keeps logs for 7 days at most."
  }

  assert {
    condition     = length(google_sql_database_instance.home.settings[0].data_cache_config) == 0 && length(google_sql_database_instance.home.replication_cluster) == 0
    error_message = "Enterprise has neither data cache nor DR replica."
  }

  assert {
    condition     = output.write_endpoint == null
    error_message = "Without an endpoint there must be none in the outputs."
  }
}

run "leaves_query_insights_off" {
  command = plan

  variables {
    query_insights = null
  }

  assert {
    condition     = length(local.query_insights) == 0
    error_message = "Null must leave Query Insights off."
  }
}

mock_provider "google" {}

override_resource {
  target = google_sql_database_instance.home
  values = { replica_names = ["orders-us-east1"] }
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
  dr_region   = "us-east1"

  designate_dr_replica = true
  passwords            = {}
}

run "refuses_project_id_for_its_number" {
  command = plan

  variables {
    project_number = "apex-prod"
  }

  expect_failures = [var.project_number]
}

run "refuses_name_that_is_no_label" {
  command = plan

  variables {
    name = "Orders_"
  }

  expect_failures = [var.name]
}

run "refuses_name_too_long_for_a_region_behind_it" {
  command = plan

  variables {
    name = "orders-of-all-customers-in-all-the-regions"
  }

  expect_failures = [var.name]
}

run "refuses_network_by_its_link" {
  command = plan

  variables {
    network = { id = "https://www.googleapis.com/compute/v1/projects/apex-prod/global/networks/main", private_services_connection = "x" }
  }

  expect_failures = [var.network]
}

run "refuses_network_without_private_services" {
  command = plan

  variables {
    network = { id = "projects/apex-prod/global/networks/main", private_services_connection = null }
  }

  expect_failures = [var.network]
}

run "refuses_zone_for_a_region" {
  command = plan

  variables {
    instances = {
      us-central1   = { tier = "db-perf-optimized-N-4" }
      us-east1      = { tier = "db-perf-optimized-N-4" }
      us-central1-a = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_availability_type_there_is_not" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "db-perf-optimized-N-4", availability_type = "GLOBAL" }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_disk_too_small" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "db-perf-optimized-N-4", disk_size = 9 }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_disk_that_must_not_be_what_it_is" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "db-perf-optimized-N-4", disk_size = 100, disk_autoresize_limit = 50 }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_shared_tier_with_enterprise_plus" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "db-f1-micro" }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_other_shared_tier_with_enterprise_plus" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "db-g1-small" }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_custom_tier_with_enterprise_plus" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "db-custom-2-8192" }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_enterprise_plus_tier_with_enterprise" {
  command = plan

  variables {
    edition              = "ENTERPRISE"
    dr_region            = null
    designate_dr_replica = false
    instances = {
      us-central1 = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_compute_engine_machine_type" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "n2-standard-4" }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_data_cache_with_enterprise" {
  command = plan

  variables {
    edition              = "ENTERPRISE"
    dr_region            = null
    designate_dr_replica = false
    instances = {
      us-central1 = { tier = "db-custom-2-8192", data_cache = true }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_key_of_another_region" {
  command = plan

  variables {
    instances = {
      us-central1 = { tier = "db-perf-optimized-N-4", encryption_key = "projects/apex-keys/locations/us-east1/keyRings/main/cryptoKeys/sql" }
      us-east1    = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.instances]
}

run "refuses_home_without_an_instance" {
  command = plan

  variables {
    home_region = "europe-west1"
  }

  expect_failures = [var.home_region]
}

run "refuses_dr_region_without_an_instance" {
  command = plan

  variables {
    dr_region = "europe-west1"
  }

  expect_failures = [var.dr_region]
}

run "refuses_dr_replica_in_the_region_of_the_primary" {
  command = plan

  variables {
    dr_region = "us-central1"
  }

  expect_failures = [var.dr_region]
}

run "refuses_dr_replica_with_enterprise" {
  command = plan

  variables {
    edition = "ENTERPRISE"
    instances = {
      us-central1 = { tier = "db-custom-2-8192" }
      us-east1    = { tier = "db-custom-2-8192" }
    }
  }

  expect_failures = [var.dr_region]
}

run "refuses_primary_that_cannot_be_switched_over_to" {
  command = plan

  variables {
    active_region = "europe-west1"
    instances = {
      us-central1  = { tier = "db-perf-optimized-N-4" }
      us-east1     = { tier = "db-perf-optimized-N-4" }
      europe-west1 = { tier = "db-perf-optimized-N-4" }
    }
  }

  expect_failures = [var.active_region]
}

run "refuses_move_to_a_replica_that_is_not_designated" {
  command = plan

  variables {
    active_region        = "us-east1"
    designate_dr_replica = false
  }

  expect_failures = [var.active_region, check.dr_replica]
}

run "refuses_designation_of_no_replica" {
  command = plan

  variables {
    dr_region = null
  }

  expect_failures = [var.designate_dr_replica]
}

run "refuses_version_of_another_database" {
  command = plan

  variables {
    database_version = "MYSQL_8_4"
  }

  expect_failures = [var.database_version]
}

run "refuses_version_too_old" {
  command = plan

  variables {
    database_version = "POSTGRES_11"
  }

  expect_failures = [var.database_version]
}

run "refuses_edition_there_is_not" {
  command = plan

  variables {
    edition = "BASIC"
  }

  expect_failures = [var.edition]
}

run "refuses_backup_at_no_time" {
  command = plan

  variables {
    backup = { start_time = "3am" }
  }

  expect_failures = [var.backup]
}

run "refuses_no_backups_kept" {
  command = plan

  variables {
    backup = { retained_backups = 0, transaction_log_retention_days = 1 }
  }

  expect_failures = [var.backup]
}

run "refuses_logs_for_longer_than_enterprise_plus_keeps_them" {
  command = plan

  variables {
    backup = { retained_backups = 90, transaction_log_retention_days = 36 }
  }

  expect_failures = [var.backup]
}

run "refuses_logs_for_longer_than_enterprise_keeps_them" {
  command = plan

  variables {
    edition              = "ENTERPRISE"
    dr_region            = null
    designate_dr_replica = false
    instances = {
      us-central1 = { tier = "db-custom-2-8192" }
    }
    backup = { transaction_log_retention_days = 8 }
  }

  expect_failures = [var.backup]
}

run "refuses_logs_from_before_the_first_backup" {
  command = plan

  variables {
    backup = { retained_backups = 7 }
  }

  expect_failures = [var.backup]
}

run "refuses_maintenance_on_no_day" {
  command = plan

  variables {
    maintenance_window = { day = 0 }
  }

  expect_failures = [var.maintenance_window]
}

run "refuses_maintenance_at_no_hour" {
  command = plan

  variables {
    maintenance_window = { hour = 24 }
  }

  expect_failures = [var.maintenance_window]
}

run "refuses_maintenance_on_no_track" {
  command = plan

  variables {
    maintenance_window = { update_track = "preview" }
  }

  expect_failures = [var.maintenance_window]
}

run "refuses_connections_in_the_clear" {
  command = plan

  variables {
    ssl_mode = "ALLOW_UNENCRYPTED_AND_ENCRYPTED"
  }

  expect_failures = [var.ssl_mode]
}

run "refuses_iam_authentication_by_its_flag" {
  command = plan

  variables {
    database_flags = { "cloudsql.iam_authentication" = "off" }
  }

  expect_failures = [var.database_flags]
}

run "refuses_queries_cut_too_short" {
  command = plan

  variables {
    query_insights = { query_string_length = 100 }
  }

  expect_failures = [var.query_insights]
}

run "refuses_too_many_plans" {
  command = plan

  variables {
    query_insights = { query_plans_per_minute = 500 }
  }

  expect_failures = [var.query_insights]
}

run "refuses_name_that_is_no_database" {
  command = plan

  variables {
    databases = { "1st" = {} }
  }

  expect_failures = [var.databases]
}

run "refuses_database_that_is_there_already" {
  command = plan

  variables {
    databases = { postgres = {} }
  }

  expect_failures = [var.databases]
}

run "refuses_type_of_user_there_is_not" {
  command = plan

  variables {
    users = { "api@apex-prod.iam.gserviceaccount.com" = { type = "IAM" } }
  }

  expect_failures = [var.users]
}

run "refuses_iam_user_without_an_address" {
  command = plan

  variables {
    users = { api = {} }
  }

  expect_failures = [var.users]
}

run "refuses_built_in_user_without_a_version" {
  command = plan

  variables {
    users     = { legacy = { type = "BUILT_IN" } }
    passwords = { legacy = "correct horse" }
  }

  expect_failures = [var.users]
}

run "refuses_iam_user_with_a_version" {
  command = plan

  variables {
    users = { "api@apex-prod.iam.gserviceaccount.com" = { password_version = 1 } }
  }

  expect_failures = [var.users]
}

run "refuses_iam_user_without_iam_authentication" {
  command = plan

  variables {
    iam_authentication = false
    users              = { "api@apex-prod.iam.gserviceaccount.com" = {} }
  }

  expect_failures = [var.users]
}

run "refuses_built_in_user_without_a_password" {
  command = plan

  variables {
    users = { legacy = { type = "BUILT_IN", password_version = 1 } }
  }

  expect_failures = [var.passwords]
}

mock_provider "google" {
  mock_resource "google_kms_key_ring" {
    defaults = { id = "projects/apex-prod/locations/us-central1/keyRings/orders-us-central1" }
  }

  mock_resource "google_kms_crypto_key" {
    defaults = { id = "projects/apex-prod/locations/us-central1/keyRings/orders-us-central1/cryptoKeys/sql" }
  }

  mock_resource "google_sql_database_instance" {
    defaults = {
      id                 = "orders-us-central1"
      connection_name    = "apex-prod:us-central1:orders-us-central1"
      private_ip_address = "10.8.0.2"
    }
  }
}

# What Cloud SQL says of home once its replicas are there.
override_resource {
  target = google_sql_database_instance.home
  values = { replica_names = ["orders-us-east1", "orders-europe-west1"] }
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
    us-central1  = { tier = "db-perf-optimized-N-4" }
    us-east1     = { tier = "db-perf-optimized-N-4" }
    europe-west1 = { tier = "db-perf-optimized-N-2" }
  }
  home_region = "us-central1"
  passwords   = {}
  dr_region   = "us-east1"

  designate_dr_replica = true
}

run "is_safe_by_default" {
  command = plan

  variables {
    designate_dr_replica = false
  }

  expect_failures = [check.dr_replica]

  assert {
    condition     = alltrue([for instance in concat([google_sql_database_instance.home], values(google_sql_database_instance.standby), values(google_sql_database_instance.read)) : instance.deletion_protection && instance.settings[0].deletion_protection_enabled])
    error_message = "Both deletion protections must be on everywhere."
  }

  assert {
    condition     = alltrue([for instance in concat([google_sql_database_instance.home], values(google_sql_database_instance.standby), values(google_sql_database_instance.read)) : !instance.settings[0].ip_configuration[0].ipv4_enabled && instance.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY" && instance.settings[0].ip_configuration[0].private_network == var.network.id])
    error_message = "Addresses must be private and connections encrypted everywhere."
  }

  assert {
    condition     = google_sql_database_instance.home.settings[0].availability_type == "REGIONAL" && google_sql_database_instance.standby["us-east1"].settings[0].availability_type == "REGIONAL" && google_sql_database_instance.read["europe-west1"].settings[0].availability_type == "ZONAL"
    error_message = "What can become the primary must survive the loss of a zone."
  }

  assert {
    condition     = google_sql_database_instance.home.settings[0].edition == "ENTERPRISE_PLUS" && google_sql_database_instance.home.settings[0].data_cache_config[0].data_cache_enabled
    error_message = "The edition must be Enterprise Plus, with its data cache."
  }

  assert {
    condition     = google_sql_database_instance.home.settings[0].backup_configuration[0].enabled && google_sql_database_instance.home.settings[0].backup_configuration[0].point_in_time_recovery_enabled && google_sql_database_instance.home.settings[0].backup_configuration[0].transaction_log_retention_days == 14
    error_message = "The primary must have backups and point-in-time recovery."
  }

  assert {
    condition     = contains([for flag in google_sql_database_instance.home.settings[0].database_flags : "${flag.name}=${flag.value}"], "cloudsql.iam_authentication=on")
    error_message = "IAM authentication must be on."
  }

  assert {
    condition     = keys(google_kms_crypto_key.this) == ["europe-west1", "us-central1", "us-east1"] && google_kms_key_ring.this["us-east1"].location == "us-east1"
    error_message = "Every region must have a key of its own."
  }

  assert {
    condition     = google_kms_crypto_key_iam_member.this["us-east1"].member == "serviceAccount:service-123456789012@gcp-sa-cloud-sql.iam.gserviceaccount.com"
    error_message = "Cloud SQL's service agent must be able to use the key."
  }

  assert {
    condition     = { for region, instance in output.instances : region => instance.role } == { us-central1 = "primary", us-east1 = "dr-replica", europe-west1 = "replica" }
    error_message = "The roles must follow from home_region and dr_region."
  }
}

run "creates_the_replicas_under_home" {
  variables {
    designate_dr_replica = false
  }

  expect_failures = [check.dr_replica]
  assert {
    condition     = google_sql_database_instance.standby["us-east1"].master_instance_name == "orders-us-central1" && google_sql_database_instance.read["europe-west1"].master_instance_name == "orders-us-central1"
    error_message = "The replicas must be created as replicas of home."
  }

  assert {
    condition     = output.active.name == "orders-us-central1"
    error_message = "Home must be the primary."
  }
}

run "designates_the_dr_replica" {
  assert {
    condition     = google_sql_database_instance.home.replication_cluster[0].failover_dr_replica_name == "apex-prod:orders-us-east1"
    error_message = "The primary must name its DR replica."
  }
}

run "switches_over_and_does_not_promote" {
  command = plan

  variables {
    active_region = "us-east1"
  }

  assert {
    condition     = google_sql_database_instance.standby["us-east1"].instance_type == "CLOUD_SQL_INSTANCE" && google_sql_database_instance.standby["us-east1"].replica_names == tolist(["orders-us-central1"])
    error_message = "The new primary must name the old one in replica_names: without it the provider promotes and splits the pair."
  }

  assert {
    condition     = google_sql_database_instance.standby["us-east1"].replication_cluster[0].failover_dr_replica_name == "apex-prod:orders-us-central1" && google_sql_database_instance.standby["us-east1"].settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "The new primary must have the old one as its DR replica, and backups."
  }

  assert {
    condition     = google_sql_database_instance.read["europe-west1"].master_instance_name == "orders-us-central1"
    error_message = "A plain replica must not be planned under another primary: that would be a replacement."
  }

  assert {
    condition     = { for region, instance in output.instances : region => instance.role } == { us-central1 = "dr-replica", us-east1 = "primary", europe-west1 = "replica" } && output.active.region == "us-east1"
    error_message = "The roles must follow active_region."
  }
}

run "keeps_databases_and_users_where_they_were_created" {
  variables {
    databases = { app = {} }
    users     = { "api@apex-prod.iam.gserviceaccount.com" = {}, "dba@example.com" = { type = "CLOUD_IAM_USER" }, legacy = { type = "BUILT_IN", password_version = 1 } }
    passwords = { legacy = "correct horse" }
  }

  assert {
    condition     = google_sql_database.this["app"].instance == "orders-us-central1" && google_sql_database.this["app"].deletion_policy == "PREVENT"
    error_message = "A database must be created in the primary, and protected."
  }

  assert {
    condition     = google_sql_user.this["api@apex-prod.iam.gserviceaccount.com"].name == "api@apex-prod.iam" && google_sql_user.this["dba@example.com"].name == "dba@example.com"
    error_message = "PostgreSQL names a service account without its domain."
  }

  assert {
    condition     = google_sql_user.this["legacy"].password_wo == null && google_sql_user.this["legacy"].password == null
    error_message = "A password must not be in the state."
  }
}

run "moves_no_database_with_the_primary" {
  command = plan

  variables {
    active_region = "us-east1"
    databases     = { app = {} }
    users         = { "api@apex-prod.iam.gserviceaccount.com" = {}, "dba@example.com" = { type = "CLOUD_IAM_USER" }, legacy = { type = "BUILT_IN", password_version = 1 } }
    passwords     = { legacy = "correct horse" }
  }

  assert {
    condition     = google_sql_database.this["app"].instance == "orders-us-central1" && alltrue([for user in google_sql_user.this : user.instance == "orders-us-central1"])
    error_message = "Another instance would drop the database and the users."
  }
}

run "adds_a_region_beside_the_others" {
  command = plan

  variables {
    instances = {
      us-central1  = { tier = "db-perf-optimized-N-4" }
      us-east1     = { tier = "db-perf-optimized-N-4" }
      europe-west1 = { tier = "db-perf-optimized-N-2" }
      asia-east1   = { tier = "db-perf-optimized-N-2", encryption_key = "projects/apex-keys/locations/asia-east1/keyRings/main/cryptoKeys/sql" }
    }
  }

  assert {
    condition     = keys(google_sql_database_instance.read) == ["asia-east1", "europe-west1"] && keys(google_sql_database_instance.standby) == ["us-east1"]
    error_message = "A region more must be a replica more, and nothing else."
  }

  assert {
    condition     = !contains(keys(google_kms_crypto_key.this), "asia-east1") && google_sql_database_instance.read["asia-east1"].encryption_key_name == "projects/apex-keys/locations/asia-east1/keyRings/main/cryptoKeys/sql"
    error_message = "A key that is given must be used."
  }
}

run "refuses_another_home" {
  command = plan

  variables {
    home_region = "europe-west1"
  }

  expect_failures = [google_sql_database_instance.home]
}

run "refuses_another_dr_region" {
  command = plan

  variables {
    dr_region = "europe-west1"
  }

  expect_failures = [google_sql_database_instance.home]
}

run "refuses_another_name" {
  command = plan

  variables {
    name = "orders2"
  }

  expect_failures = [google_sql_database_instance.home]
}

run "takes_the_protection_off_when_told" {
  variables {
    deletion_protection = false
    databases           = { app = {} }
  }

  assert {
    condition     = !google_sql_database_instance.home.deletion_protection && !google_sql_database_instance.home.settings[0].deletion_protection_enabled && google_sql_database.this["app"].deletion_policy == "DELETE"
    error_message = "deletion_protection = false must take off both protections."
  }
}

# Where the first instance was created, as the primary. It has no master_instance_name ever: an instance that Cloud SQL made a replica
# keeps the one it has got, whereas a change of it would be a replacement.
resource "google_sql_database_instance" "home" {
  project             = var.project_id
  name                = local.names[var.home_region]
  region              = var.home_region
  database_version    = var.database_version
  encryption_key_name = local.keys[var.home_region]
  deletion_protection = var.deletion_protection

  # Together these two switch back. Without the name of the primary so far in replica_names the provider would promote the instance,
  # which cuts it off, instead of switching over; so neither is ever there without the other.
  instance_type = var.active_region == var.home_region ? "CLOUD_SQL_INSTANCE" : null
  replica_names = var.active_region == var.home_region ? concat([for region, _ in local.standby : local.names[region]], [for region, _ in local.read : local.names[region]]) : null

  dynamic "replication_cluster" {
    for_each = local.replication_of[var.home_region]

    content {
      failover_dr_replica_name = replication_cluster.value
    }
  }

  settings {
    tier                        = local.settings[var.home_region].tier
    edition                     = var.edition
    availability_type           = local.settings[var.home_region].availability_type
    disk_size                   = local.settings[var.home_region].disk_size
    disk_autoresize             = true
    disk_autoresize_limit       = local.settings[var.home_region].disk_autoresize_limit
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = var.labels

    dynamic "backup_configuration" {
      for_each = local.backup_of[var.home_region]

      content {
        enabled                        = true
        start_time                     = backup_configuration.value.start_time
        location                       = backup_configuration.value.location
        point_in_time_recovery_enabled = true
        transaction_log_retention_days = backup_configuration.value.transaction_log_retention_days

        backup_retention_settings {
          retained_backups = backup_configuration.value.retained_backups
          retention_unit   = "COUNT"
        }
      }
    }

    dynamic "data_cache_config" {
      for_each = local.settings[var.home_region].data_cache

      content {
        data_cache_enabled = data_cache_config.value
      }
    }

    dynamic "database_flags" {
      for_each = local.flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }

    dynamic "insights_config" {
      for_each = local.query_insights

      content {
        query_insights_enabled  = true
        query_string_length     = insights_config.value.query_string_length
        query_plans_per_minute  = insights_config.value.query_plans_per_minute
        record_application_tags = insights_config.value.record_application_tags
        record_client_address   = insights_config.value.record_client_address
      }
    }

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network.id
      ssl_mode        = var.ssl_mode
    }

    maintenance_window {
      day          = var.maintenance_window.day
      hour         = var.maintenance_window.hour
      update_track = var.maintenance_window.update_track
    }
  }

  lifecycle {
    # A key cannot be changed in place.
    ignore_changes = [encryption_key_name]

    precondition {
      condition     = terraform_data.layout.output.project_id == var.project_id && terraform_data.layout.output.name == var.name
      error_message = "project_id and name cannot be changed: the instances would be replaced. Set them to \"${terraform_data.layout.output.project_id}\" and \"${terraform_data.layout.output.name}\" again. If nothing was created yet, plan with -replace of this module's terraform_data.layout."
    }

    precondition {
      condition     = terraform_data.layout.output.home_region == var.home_region
      error_message = "home_region cannot be changed: the instances would be replaced. Set it to \"${terraform_data.layout.output.home_region}\" again; where the primary is, is said by active_region. If nothing was created yet, plan with -replace of this module's terraform_data.layout."
    }

    precondition {
      condition     = terraform_data.layout.output.dr_region == var.dr_region
      error_message = "dr_region was ${terraform_data.layout.output.dr_region == null ? "null" : "\"${terraform_data.layout.output.dr_region}\""} when the instances were created. Changing it moves instances between resources: write the moved blocks of the README, and plan once with -replace of this module's terraform_data.layout."
    }
  }
}

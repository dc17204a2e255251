locals {
  # home is planned before, so that after it is to be switched back, its replica_names are those it shall have.
  home_replicates_to = coalesce(google_sql_database_instance.home.replica_names, [])
}

# The DR replica: the other instance that can be the primary.
resource "google_sql_database_instance" "standby" {
  for_each = local.standby

  project             = var.project_id
  name                = local.names[each.key]
  region              = each.key
  database_version    = var.database_version
  encryption_key_name = local.keys[each.key]
  deletion_protection = var.deletion_protection

  # Together these two switch over: see home. Once home is a replica of this instance the provider's own list is as good. Nested, since
  # Terraform does not stop at a false operand of && where the other one is unknown, as it is while home is switched back.
  instance_type = each.key == local.active ? "CLOUD_SQL_INSTANCE" : null
  replica_names = each.key == local.active ? (google_sql_database_instance.home.master_instance_name != local.names[each.key] ? [local.names[var.home_region]] : null) : null

  # Only until it is there. Afterwards the argument is absent, as the provider demands for a switchover; and whenever Cloud SQL says
  # otherwise, as while home is switched back or after a failover, naming the primary here would be a replacement.
  master_instance_name = var.designate_dr_replica ? null : local.names[var.home_region]

  dynamic "replication_cluster" {
    for_each = local.replication_of[each.key]

    content {
      failover_dr_replica_name = replication_cluster.value
    }
  }

  settings {
    tier                        = local.settings[each.key].tier
    edition                     = var.edition
    availability_type           = local.settings[each.key].availability_type
    disk_size                   = local.settings[each.key].disk_size
    disk_autoresize             = true
    disk_autoresize_limit       = local.settings[each.key].disk_autoresize_limit
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = var.labels

    dynamic "backup_configuration" {
      for_each = local.backup_of[each.key]

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
      for_each = local.settings[each.key].data_cache

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
  }

  lifecycle {
    # A key cannot be changed in place. On a replica Cloud SQL takes no maintenance window, and to have one with the role only would
    # be a change in an instance that ceases to be the primary.
    ignore_changes = [encryption_key_name, settings[0].maintenance_window]

    precondition {
      condition     = each.key == local.active || !var.designate_dr_replica || contains(local.home_replicates_to, local.names[each.key]) || google_sql_database_instance.home.master_instance_name == local.names[each.key]
      error_message = "${local.names[var.home_region]} has no replica ${local.names[each.key]}. If it was failed over to ${each.key}, set active_region = \"${each.key}\". If the replica is not there yet, set designate_dr_replica = false until it is."
    }

    precondition {
      condition     = var.active_region != null || google_sql_database_instance.home.master_instance_name != local.names[each.key]
      error_message = "The primary is in ${each.key}, while active_region is null. Set active_region = \"${each.key}\" to say so, or active_region = \"${var.home_region}\" to switch back."
    }
  }
}

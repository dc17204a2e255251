# Replicas that are never the primary.
resource "google_sql_database_instance" "read" {
  for_each = local.read

  project              = var.project_id
  name                 = local.names[each.key]
  region               = each.key
  database_version     = var.database_version
  master_instance_name = local.names[local.active]
  encryption_key_name  = local.keys[each.key]
  deletion_protection  = var.deletion_protection

  settings {
    tier                        = local.settings[each.key].tier
    edition                     = var.edition
    availability_type           = local.settings[each.key].availability_type
    disk_size                   = local.settings[each.key].disk_size
    disk_autoresize             = true
    disk_autoresize_limit       = local.settings[each.key].disk_autoresize_limit
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = var.labels

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
    # Cloud SQL moves a replica over to the new primary by itself; the provider would replace it. The rest is as in standby.
    ignore_changes = [master_instance_name, encryption_key_name, settings[0].maintenance_window]
  }

  # Named, not referred to: the primary can be either.
  depends_on = [google_sql_database_instance.home, google_sql_database_instance.standby]
}

locals {
  active = coalesce(var.active_region, var.home_region)
  names  = { for region, _ in var.instances : region => "${var.name}-${region}" }

  # Three resources, since only the lifecycle of each can say what must never be planned. Which of them an instance is depends on
  # home_region and dr_region, and not on where the primary is.
  standby = { for region, instance in var.instances : region => instance if region == var.dr_region }
  read    = { for region, instance in var.instances : region => instance if region != var.home_region && region != var.dr_region }

  settings = { for region, instance in var.instances : region => {
    tier                  = instance.tier
    availability_type     = coalesce(instance.availability_type, region == var.home_region || region == var.dr_region ? "REGIONAL" : "ZONAL")
    disk_size             = instance.disk_size
    disk_autoresize_limit = instance.disk_autoresize_limit
    data_cache            = var.edition == "ENTERPRISE_PLUS" ? { this = coalesce(instance.data_cache, true) } : {}
  } }

  # By reference to the grant, since an instance cannot be created before it.
  keys = { for region, instance in var.instances : region => coalesce(instance.encryption_key, try(google_kms_crypto_key_iam_member.this[region].crypto_key_id, null)) }

  flags = merge(var.database_flags, var.iam_authentication ? { "cloudsql.iam_authentication" = "on" } : {})

  backup = {
    start_time                     = var.backup.start_time
    location                       = var.backup.location
    retained_backups               = var.backup.retained_backups
    transaction_log_retention_days = coalesce(var.backup.transaction_log_retention_days, var.edition == "ENTERPRISE_PLUS" ? 14 : 7)
  }
  query_insights = var.query_insights == null ? {} : { this = var.query_insights }

  # What only the primary has. A replica's arguments are left out rather than set to what they should be: the provider then keeps what
  # Cloud SQL says, so that the plan has nothing to change in an instance that is not the primary any more, or is not it yet.
  backup_of      = { for region, _ in var.instances : region => region == local.active ? { this = local.backup } : {} }
  replication_of = { for region, _ in var.instances : region => region == local.active && var.designate_dr_replica && var.dr_region != null ? { this = local.peer } : {} }

  # The other one of the pair that can be switched over.
  peer = var.dr_region == null ? null : "${var.project_id}:${local.names[local.active == var.home_region ? var.dr_region : var.home_region]}"
}

# Changing any of these would plan other instances in place of those there are. So they are kept as they were at first, and the
# instances refuse to be planned with others.
resource "terraform_data" "layout" {
  input = {
    project_id  = var.project_id
    name        = var.name
    home_region = var.home_region
    dr_region   = var.dr_region
  }

  lifecycle {
    ignore_changes = [input]
  }
}

check "dr_replica" {
  assert {
    condition     = var.dr_region == null || var.designate_dr_replica
    error_message = "The DR replica is not designated: nothing can be switched over or failed over to it. Set designate_dr_replica = true once it was created."
  }
}

locals {
  # PostgreSQL names a service account without its domain.
  user_names = { for name, user in var.users : name => user.type == "CLOUD_IAM_SERVICE_ACCOUNT" ? trimsuffix(name, ".gserviceaccount.com") : name }
}

resource "google_sql_user" "this" {
  for_each = var.users

  project  = var.project_id
  instance = local.names[local.active]
  name     = local.user_names[each.key]
  type     = each.value.type

  password_wo         = each.value.type == "BUILT_IN" ? lookup(var.passwords, each.key, null) : null
  password_wo_version = each.value.password_version

  lifecycle {
    # Replicas have the same users: after a switchover nothing is to be created in another instance.
    ignore_changes = [instance]
  }

  depends_on = [google_sql_database_instance.home, google_sql_database_instance.standby]
}

# After the users, and so before them in a destroy: a user who owns something cannot be dropped.
resource "google_sql_database" "this" {
  for_each = var.databases

  project         = var.project_id
  instance        = local.names[local.active]
  name            = each.key
  charset         = each.value.charset
  collation       = each.value.collation
  deletion_policy = var.deletion_protection ? "PREVENT" : "DELETE"

  lifecycle {
    # As above; here it would drop the database.
    ignore_changes = [instance]
  }

  depends_on = [google_sql_user.this]
}

locals {
  identities = {
    plan  = { description = "Reads, and plans what would change", roles = var.plan_roles }
    apply = { description = "Changes what was planned", roles = var.apply_roles }
  }

  projects = coalesce(var.managed_projects, toset([var.project_id]))

  grants = merge([
    for identity, it in local.identities : {
      for pair in setproduct(local.projects, it.roles) : "${identity}/${pair[0]}/${pair[1]}" => { identity = identity, project = pair[0], role = pair[1] }
    }
  ]...)
}

resource "google_service_account" "ci" {
  for_each = local.identities

  project      = var.project_id
  account_id   = "${var.name}-tf-${each.key}"
  display_name = "Terraform ${each.key} of ${var.name}"
  description  = each.value.description

  # One of the same name that is made again is another account, which nothing was granted to.
  deletion_policy = local.deletion_policy

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "ci" {
  for_each = local.grants

  project = each.value.project
  role    = each.value.role
  member  = google_service_account.ci[each.value.identity].member

  dynamic "condition" {
    for_each = each.value.role == "roles/resourcemanager.projectIamAdmin" ? { this = sort(var.grantable_roles) } : {}

    content {
      title       = "grantable-roles"
      description = "Grants and takes only what the platform needs"
      expression  = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([${join(", ", [for role in condition.value : "'${role}'"])}])"
    }
  }
}

locals {
  builds = var.cloud_build == null ? {} : local.identities

  build_callers = merge([
    for identity in keys(local.builds) : {
      for member in var.cloud_build["${identity}_callers"] : "${identity}/${member}" => { identity = identity, member = member }
    }
  ]...)
}

# What a build that runs as an account of its own needs, and nothing else does.
resource "google_project_iam_member" "build_logs" {
  for_each = local.builds

  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.ci[each.key].member
}

resource "google_service_account_iam_member" "build_callers" {
  for_each = local.build_callers

  service_account_id = google_service_account.ci[each.value.identity].name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value.member
}

locals {
  github = var.github == null ? {} : { this = var.github }
}

resource "google_iam_workload_identity_pool" "github" {
  for_each = local.github

  project                   = var.project_id
  workload_identity_pool_id = "${var.name}-github"
  display_name              = "GitHub Actions"
  description               = "Workflows of ${each.value.repository}"
  deletion_policy           = local.deletion_policy

  depends_on = [google_project_service.this]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  for_each = local.github

  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.github[each.key].workload_identity_pool_id
  workload_identity_pool_provider_id = "actions"
  display_name                       = "GitHub Actions"
  description                        = "Workflows of ${each.value.repository}"

  # A token's own subject has names in it that can be registered again, has changed its form, and can be longer than the 127
  # characters that fit. The run is what an audit log should lead to.
  attribute_mapping = {
    "google.subject"       = "assertion.repository_id + \"/\" + assertion.run_id"
    "attribute.repository" = "assertion.repository"
    "attribute.ref"        = "assertion.ref"

    # Only a job that names an environment has that claim, and GitHub gives it the token after the rules of the environment
    # are met. The branch is checked again, in case these rules are not what they should be.
    "attribute.access" = "has(assertion.environment) && assertion.environment == \"${each.value.environment}\" && assertion.ref == \"refs/heads/${each.value.branch}\" ? \"apply\" : \"plan\""
  }

  # GitHub signs the tokens of everybody's workflows: this is the wall. pull_request_target runs what a stranger proposes with the
  # rights of the repository.
  attribute_condition = join(" && ", [
    "assertion.repository_id == \"${each.value.repository_id}\"",
    "assertion.repository_owner_id == \"${each.value.owner_id}\"",
    "assertion.repository == \"${each.value.repository}\"",
    "assertion.event_name != \"pull_request_target\"",
  ])

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

locals {
  # A job that applies plans first.
  github_access = var.github == null ? {} : {
    "plan/plan"   = { identity = "plan", access = "plan" }
    "plan/apply"  = { identity = "plan", access = "apply" }
    "apply/apply" = { identity = "apply", access = "apply" }
  }
}

resource "google_service_account_iam_member" "github" {
  for_each = local.github_access

  service_account_id = google_service_account.ci[each.value.identity].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.github["this"].workload_identity_pool_id}/attribute.access/${each.value.access}"
}

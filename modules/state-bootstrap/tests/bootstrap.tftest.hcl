mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name   = "projects/apex-prod/serviceAccounts/apex-tf@apex-prod.iam.gserviceaccount.com"
      email  = "apex-tf@apex-prod.iam.gserviceaccount.com"
      member = "serviceAccount:apex-tf@apex-prod.iam.gserviceaccount.com"
    }
  }

  mock_resource "google_kms_key_ring" {
    defaults = {
      id = "projects/apex-prod/locations/europe/keyRings/apex-tfstate"
    }
  }

  mock_resource "google_kms_crypto_key" {
    defaults = {
      id = "projects/apex-prod/locations/europe/keyRings/apex-tfstate/cryptoKeys/state"
    }
  }

  mock_resource "google_iam_workload_identity_pool_provider" {
    defaults = {
      name = "projects/123456789012/locations/global/workloadIdentityPools/apex-github/providers/actions"
    }
  }
}

variables {
  project_id     = "apex-prod"
  project_number = "123456789012"
  name           = "apex"
  regions        = ["europe-west1", "europe-west4"]
  state_admins   = ["group:platform-admins@apex.example"]
  github         = { repository = "apex-innovations/platform", repository_id = "4567", owner_id = "123" }
}

run "the_state_is_kept_twice_encrypted_and_closed" {
  command = apply

  assert {
    condition     = google_storage_bucket.state.location == "EU" && one(google_storage_bucket.state.custom_placement_config).data_locations == toset(["EUROPE-WEST1", "EUROPE-WEST4"]) && google_storage_bucket.state.rpo == "ASYNC_TURBO"
    error_message = "The state is not kept in both regions."
  }

  assert {
    condition     = google_storage_bucket.state.uniform_bucket_level_access && google_storage_bucket.state.public_access_prevention == "enforced" && one(google_storage_bucket.state.versioning).enabled && one(google_storage_bucket.state.soft_delete_policy).retention_duration_seconds == 2592000
    error_message = "The bucket can be opened, or forgets."
  }

  assert {
    condition     = one(google_storage_bucket.state.encryption).default_kms_key_name == "projects/apex-prod/locations/europe/keyRings/apex-tfstate/cryptoKeys/state" && google_kms_key_ring.this["this"].location == "europe" && google_kms_crypto_key_iam_member.service_agent["this"].member == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    error_message = "The bucket is not encrypted with a key of its multi-region that Cloud Storage may use."
  }

  assert {
    condition     = google_storage_bucket.state.deletion_policy == "PREVENT" && !google_storage_bucket.state.force_destroy && google_kms_crypto_key.state["this"].deletion_policy == "PREVENT" && google_iam_workload_identity_pool.github["this"].deletion_policy == "PREVENT" && google_service_account.ci["apply"].deletion_policy == "PREVENT"
    error_message = "The state, its key, the accounts or the pool can be destroyed."
  }

  assert {
    condition     = output.backend.bucket == "apex-prod-apex-tfstate" && output.encryption_key == google_kms_crypto_key.state["this"].id
    error_message = "The backend that is handed on is another one."
  }

  assert {
    condition     = alltrue([for it in google_project_service.this : !it.disable_on_destroy]) && contains(output.services, "container.googleapis.com")
    error_message = "A destroy would disable APIs."
  }
}

run "nobody_else_gets_at_the_state" {
  command = apply

  assert {
    condition     = toset(flatten([for it in jsondecode(google_storage_bucket_iam_policy.state.policy_data).bindings : it.members])) == toset(["group:platform-admins@apex.example", "serviceAccount:apex-tf@apex-prod.iam.gserviceaccount.com"])
    error_message = "Somebody else is in the policy of the bucket."
  }

  assert {
    condition     = [for it in jsondecode(google_storage_bucket_iam_policy.state.policy_data).bindings : it.role if try(it.condition.expression, "") == "resource.name.endsWith(\".tflock\")"] == ["roles/storage.objectUser"]
    error_message = "Who plans writes more than locks."
  }
}

run "only_one_repository_gets_in_and_only_its_protected_environment_applies" {
  command = apply

  assert {
    condition     = google_iam_workload_identity_pool_provider.github["this"].attribute_condition == "assertion.repository_id == \"4567\" && assertion.repository_owner_id == \"123\" && assertion.repository == \"apex-innovations/platform\" && assertion.event_name != \"pull_request_target\""
    error_message = "Tokens of other repositories get in: ${google_iam_workload_identity_pool_provider.github["this"].attribute_condition}."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github["this"].attribute_mapping["attribute.access"] == "has(assertion.environment) && assertion.environment == \"production\" && assertion.ref == \"refs/heads/main\" ? \"apply\" : \"plan\""
    error_message = "Other jobs than those of the environment apply: ${google_iam_workload_identity_pool_provider.github["this"].attribute_mapping["attribute.access"]}."
  }

  assert {
    condition     = [for key, it in google_service_account_iam_member.github : it.member if startswith(key, "apply/")] == ["principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/apex-github/attribute.access/apply"]
    error_message = "Who may not apply does."
  }

  assert {
    condition     = output.github.workload_identity_provider == "projects/123456789012/locations/global/workloadIdentityPools/apex-github/providers/actions" && output.github.environment == "production"
    error_message = "What a workflow needs is not handed on."
  }
}

run "planning_reads_and_applying_grants_a_few_roles" {
  command = plan

  variables {
    managed_projects = ["apex-prod", "apex-fleet"]
  }

  assert {
    condition     = toset([for it in google_project_iam_member.ci : it.role if strcontains(it.role, "viewer") || strcontains(it.role, "Reviewer")]) == toset(["roles/viewer", "roles/iam.securityReviewer"]) && length(google_project_iam_member.ci) == 2 * (3 + 14)
    error_message = "Roles are not granted in each project."
  }

  assert {
    condition     = strcontains(one(google_project_iam_member.ci["apply/apex-fleet/roles/resourcemanager.projectIamAdmin"].condition).expression, "modifiedGrantsByRole', []).hasOnly(['roles/artifactregistry.reader', ")
    error_message = "Who applies may grant itself anything."
  }

  assert {
    condition     = length(google_project_iam_member.ci["apply/apex-fleet/roles/container.admin"].condition) == 0
    error_message = "There is a condition where there should be none."
  }

  assert {
    condition     = length(google_service_account_iam_member.build_callers) == 0 && length(google_project_iam_member.build_logs) == 0
    error_message = "Cloud Build gets in unasked."
  }
}

run "builds_run_as_the_identities_of_those_who_are_named" {
  command = plan

  variables {
    github              = null
    cloud_build         = { apply_callers = ["group:platform-admins@apex.example"] }
    encryption_key      = "projects/apex-keys/locations/us/keyRings/state/cryptoKeys/state"
    regions             = ["us-east4", "us-central1"]
    bucket              = { name = "apex-state", turbo_replication = false, keep_versions = 5 }
    deletion_protection = false
  }

  assert {
    condition     = keys(google_service_account_iam_member.build_callers) == ["apply/group:platform-admins@apex.example"] && google_service_account_iam_member.build_callers["apply/group:platform-admins@apex.example"].role == "roles/iam.serviceAccountUser" && length(google_project_iam_member.build_logs) == 2
    error_message = "Builds are not run by those who were named."
  }

  assert {
    condition     = length(google_iam_workload_identity_pool.github) == 0 && length(google_service_account_iam_member.github) == 0 && output.github == null
    error_message = "Workflows of GitHub get in unasked."
  }

  assert {
    condition     = google_storage_bucket.state.name == "apex-state" && google_storage_bucket.state.location == "US" && google_storage_bucket.state.rpo == "DEFAULT" && google_storage_bucket.state.deletion_policy == "DELETE" && length(google_kms_key_ring.this) == 0
    error_message = "The bucket is not the one that was asked for."
  }

  assert {
    condition     = one(google_storage_bucket.state.lifecycle_rule[0].condition).num_newer_versions == 5
    error_message = "Old versions are not kept as asked for."
  }
}

run "refuses_a_project_number_as_an_id" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "refuses_a_project_id_as_a_number" {
  command = plan

  variables {
    project_number = "apex-prod"
  }

  expect_failures = [var.project_number]
}

run "refuses_a_name_that_is_too_long" {
  command = plan

  variables {
    name = "twenty-two-characters-"
  }

  expect_failures = [var.name]
}

run "refuses_a_single_region" {
  command = plan

  variables {
    regions = ["europe-west1"]
  }

  expect_failures = [var.regions]
}

run "refuses_a_continent_without_pairs" {
  command = plan

  variables {
    regions = ["southamerica-east1", "southamerica-west1"]
  }

  expect_failures = [var.regions]
}

run "refuses_regions_on_two_continents" {
  command = plan

  variables {
    regions = ["europe-west1", "us-east4"]
  }

  expect_failures = [var.regions]
}

run "refuses_a_state_that_nobody_repairs" {
  command = plan

  variables {
    state_admins = []
  }

  expect_failures = [var.state_admins]
}

run "refuses_a_state_for_everybody" {
  command = plan

  variables {
    state_admins = ["allAuthenticatedUsers"]
  }

  expect_failures = [var.state_admins]
}

run "refuses_a_bucket_without_a_proper_name" {
  command = plan

  variables {
    bucket = { name = "Apex State" }
  }

  expect_failures = [var.bucket]
}

run "refuses_no_version_to_go_back_to" {
  command = plan

  variables {
    bucket = { keep_versions = 0 }
  }

  expect_failures = [var.bucket]
}

run "refuses_forgetting_in_a_day" {
  command = plan

  variables {
    bucket = { soft_delete_days = 1 }
  }

  expect_failures = [var.bucket]
}

run "refuses_a_key_in_one_region" {
  command = plan

  variables {
    encryption_key = "projects/apex-keys/locations/europe-west1/keyRings/state/cryptoKeys/state"
  }

  expect_failures = [var.encryption_key]
}

run "refuses_a_key_ring_without_a_proper_name" {
  command = plan

  variables {
    key_ring = { name = "a ring" }
  }

  expect_failures = [var.key_ring]
}

run "refuses_a_key_that_rotates_every_hour" {
  command = plan

  variables {
    key_ring = { rotation_period = "3600s" }
  }

  expect_failures = [var.key_ring]
}

run "refuses_every_repository_of_an_owner" {
  command = plan

  variables {
    github = { repository = "apex-innovations/*", repository_id = "4567", owner_id = "123" }
  }

  expect_failures = [var.github]
}

run "refuses_a_repository_without_an_id" {
  command = plan

  variables {
    github = { repository = "apex-innovations/platform", repository_id = "", owner_id = "123" }
  }

  expect_failures = [var.github]
}

run "refuses_every_branch" {
  command = plan

  variables {
    github = { repository = "apex-innovations/platform", repository_id = "4567", owner_id = "123", branch = "*" }
  }

  expect_failures = [var.github]
}

run "refuses_an_environment_that_is_an_expression" {
  command = plan

  variables {
    github = { repository = "apex-innovations/platform", repository_id = "4567", owner_id = "123", environment = "x\" || \"\" == \"" }
  }

  expect_failures = [var.github]
}

run "refuses_builds_by_everybody" {
  command = plan

  variables {
    cloud_build = { apply_callers = ["allUsers"] }
  }

  expect_failures = [var.cloud_build]
}

run "refuses_no_project" {
  command = plan

  variables {
    managed_projects = []
  }

  expect_failures = [var.managed_projects]
}

run "refuses_planning_that_changes" {
  command = plan

  variables {
    plan_roles = ["roles/compute.networkAdmin"]
  }

  expect_failures = [var.plan_roles]
}

run "refuses_applying_as_an_owner" {
  command = plan

  variables {
    apply_roles = ["roles/owner"]
  }

  expect_failures = [var.apply_roles]
}

run "refuses_more_roles_than_a_condition_takes" {
  command = plan

  variables {
    grantable_roles = ["roles/a", "roles/b", "roles/c", "roles/d", "roles/e", "roles/f", "roles/g", "roles/h", "roles/i", "roles/j", "roles/k"]
  }

  expect_failures = [var.grantable_roles]
}

run "refuses_granting_the_right_to_grant" {
  command = plan

  variables {
    grantable_roles = ["roles/resourcemanager.projectIamAdmin"]
  }

  expect_failures = [var.grantable_roles]
}

run "refuses_a_service_that_is_no_api" {
  command = plan

  variables {
    services = ["cloudkms.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com", "storage.googleapis.com", "sts.googleapis.com", "container"]
  }

  expect_failures = [var.services]
}

run "refuses_leaving_out_what_the_module_needs" {
  command = plan

  variables {
    services = ["container.googleapis.com"]
  }

  expect_failures = [var.services]
}

mock_provider "google" {
  mock_resource "google_container_cluster" {
    defaults = {
      id = "projects/apex-prod/locations/europe-west1/clusters/apex-europe-west1"
      fleet = {
        membership = "//gkehub.googleapis.com/projects/apex-prod/locations/europe-west1/memberships/apex-europe-west1"
      }
    }
  }

  mock_resource "google_service_account" {
    defaults = {
      email  = "apex-nodes@apex-prod.iam.gserviceaccount.com"
      member = "serviceAccount:apex-nodes@apex-prod.iam.gserviceaccount.com"
    }
  }

  mock_resource "google_kms_key_ring" {
    defaults = {
      id = "projects/apex-prod/locations/europe-west1/keyRings/apex-gke"
    }
  }

  mock_resource "google_kms_crypto_key" {
    defaults = {
      id = "projects/apex-prod/locations/europe-west1/keyRings/apex-gke/cryptoKeys/secrets"
    }
  }
}

variables {
  project_id     = "apex-prod"
  project_number = "123456789012"
  name           = "apex"
  network        = { id = "projects/apex-prod/global/networks/apex" }

  clusters = {
    europe-west1 = {
      subnet      = { id = "projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1", pods_range_name = "pods", services_range_name = "services" }
      maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=MO,TU" }
    }
    us-east4 = {
      subnet      = { id = "projects/apex-prod/regions/us-east4/subnetworks/apex-us-east4", pods_range_name = "pods", services_range_name = "services" }
      maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=WE,TH" }
      mode        = "standard"
      node_pools  = { general = {} }
    }
  }
}

run "a_cluster_in_each_region_joins_the_fleet" {
  command = apply

  assert {
    condition     = keys(output.clusters) == ["europe-west1", "us-east4"] && output.clusters["us-east4"].name == "apex-us-east4" && output.clusters["us-east4"].region == "us-east4"
    error_message = "Clusters are not keyed by region, or not named after it."
  }

  assert {
    condition     = output.fleet.project_id == "apex-prod" && output.fleet.memberships["europe-west1"] == "projects/apex-prod/locations/europe-west1/memberships/apex-europe-west1"
    error_message = "The memberships in the fleet are not handed on."
  }

  assert {
    condition     = google_gke_hub_feature.multi_cluster_services["this"].name == "multiclusterservicediscovery" && google_gke_hub_feature.multi_cluster_services["this"].location == "global"
    error_message = "Multi-cluster services are off."
  }

  assert {
    condition     = google_gke_hub_feature.multi_cluster_services["this"].deletion_policy == "PREVENT"
    error_message = "A destroy that the clusters refuse would cut the services between them."
  }

  assert {
    condition     = google_project_iam_member.multi_cluster_services_importer["this"].role == "roles/compute.networkViewer" && google_project_iam_member.multi_cluster_services_importer["this"].member == "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/apex-prod.svc.id.goog/subject/ns/gke-mcs/sa/gke-mcs-importer"
    error_message = "The importer of multi-cluster services may not read the network."
  }

  assert {
    condition     = length(google_gke_hub_feature.multi_cluster_gateway) == 0 && length(google_project_iam_member.multi_cluster_gateway_controller) == 0 && output.fleet.config_membership == null
    error_message = "Multi-cluster Gateways are on, and their controller is an administrator of the clusters, unasked."
  }
}

# OpenTofu forgets the outputs of a run when the next one has the same state.
run "remember_the_regions_that_are_there" {
  command = apply

  module {
    source = "./tests/compare"
  }

  variables {
    before = run.a_cluster_in_each_region_joins_the_fleet.clusters
  }
}

run "one_more_region_adds_keys_and_changes_none" {
  command = apply

  variables {
    clusters = {
      asia-east1 = {
        subnet      = { id = "projects/apex-prod/regions/asia-east1/subnetworks/apex-asia-east1", pods_range_name = "pods", services_range_name = "services" }
        maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=SA" }
      }
      europe-west1 = {
        subnet      = { id = "projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1", pods_range_name = "pods", services_range_name = "services" }
        maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=MO,TU" }
      }
      us-east4 = {
        subnet      = { id = "projects/apex-prod/regions/us-east4/subnetworks/apex-us-east4", pods_range_name = "pods", services_range_name = "services" }
        maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=WE,TH" }
        mode        = "standard"
        node_pools  = { general = {} }
      }
    }
  }

  assert {
    condition     = keys(output.clusters) == ["asia-east1", "europe-west1", "us-east4"]
    error_message = "Regions do not key their clusters."
  }
}

# State is carried from run to run: what was there before must still be the same, down to what the provider computed.
run "compare_the_regions_that_were_there" {
  command = plan

  module {
    source = "./tests/compare"
  }

  variables {
    before = run.remember_the_regions_that_are_there.before
    after  = run.one_more_region_adds_keys_and_changes_none.clusters
  }

  assert {
    condition     = length(output.changed) == 0
    error_message = "A region that came has changed ${join(", ", output.changed)}."
  }
}

run "gateways_of_the_fleet_are_read_from_the_region_that_is_named" {
  command = apply

  variables {
    fleet = { project_id = "apex-fleet", project_number = "210987654321", config_region = "europe-west1", deletion_protection = false }
  }

  assert {
    condition     = google_gke_hub_feature.multi_cluster_gateway["this"].name == "multiclusteringress" && google_gke_hub_feature.multi_cluster_gateway["this"].project == "apex-fleet" && google_gke_hub_feature.multi_cluster_gateway["this"].spec[0].multiclusteringress[0].config_membership == "projects/apex-prod/locations/europe-west1/memberships/apex-europe-west1"
    error_message = "Gateways are read from another cluster."
  }

  assert {
    condition     = google_gke_hub_feature.multi_cluster_gateway["this"].deletion_policy == "DELETE"
    error_message = "The feature would hold up a destroy."
  }

  assert {
    condition     = google_project_iam_member.multi_cluster_gateway_controller["this"].member == "serviceAccount:service-210987654321@gcp-sa-multiclusteringress.iam.gserviceaccount.com"
    error_message = "The controller of Gateways is that of another project."
  }

  assert {
    condition     = output.fleet.project_id == "apex-fleet" && output.fleet.config_region == "europe-west1"
    error_message = "The fleet that is handed on is another one."
  }
}

run "multi_cluster_services_can_be_left_out" {
  command = plan

  variables {
    fleet = { multi_cluster_services = false }
  }

  assert {
    condition     = length(google_gke_hub_feature.multi_cluster_services) == 0 && length(google_project_iam_member.multi_cluster_services_importer) == 0
    error_message = "Multi-cluster services are on."
  }
}

run "warns_of_upgrades_on_the_same_day" {
  command = plan

  variables {
    clusters = {
      europe-west1 = { subnet = { id = "europe", pods_range_name = "pods", services_range_name = "services" }, maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=MO,TU" } }
      us-east4     = { subnet = { id = "us", pods_range_name = "pods", services_range_name = "services" }, maintenance = { recurrence = "FREQ=DAILY" } }
    }
  }

  expect_failures = [check.maintenance_windows]

  assert {
    condition     = local.shared_days == ["europe-west1 and us-east4 (MO, TU)"]
    error_message = "Days are ${jsonencode(local.shared_days)}."
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

run "refuses_a_name_that_is_too_long_with_a_region" {
  command = plan

  variables {
    name = "seventeen-letters"
  }

  expect_failures = [var.name]
}

run "refuses_no_cluster" {
  command = plan

  variables {
    clusters = {}
  }

  expect_failures = [var.clusters]
}

run "refuses_a_zone_as_a_region" {
  command = plan

  variables {
    clusters = { europe-west1-b = { subnet = { id = "europe", pods_range_name = "pods", services_range_name = "services" } } }
  }

  expect_failures = [var.clusters]
}

run "refuses_a_subnet_of_another_region" {
  command = plan

  variables {
    clusters = { europe-west1 = { subnet = { id = "projects/apex-prod/regions/us-east4/subnetworks/apex-us-east4", pods_range_name = "pods", services_range_name = "services" } } }
  }

  expect_failures = [var.clusters]
}

run "refuses_a_fleet_without_a_number" {
  command = plan

  variables {
    fleet = { project_id = "apex-fleet" }
  }

  expect_failures = [var.fleet]
}

run "refuses_gateways_read_from_where_no_cluster_is" {
  command = plan

  variables {
    fleet = { config_region = "asia-east1" }
  }

  expect_failures = [var.fleet]
}

run "refuses_gateways_without_services" {
  command = plan

  variables {
    fleet = { config_region = "europe-west1", multi_cluster_services = false }
  }

  expect_failures = [var.fleet]
}

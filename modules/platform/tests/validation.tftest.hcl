mock_provider "google" {
  mock_resource "google_certificate_manager_dns_authorization" {
    defaults = { dns_resource_record = [{ name = "_acme-challenge.app.example.com.", type = "CNAME", data = "1.authorize.certificatemanager.goog." }] }
  }

  mock_resource "google_compute_network" {
    defaults = { id = "projects/apex-prod/global/networks/apex" }
  }

  mock_resource "google_compute_subnetwork" {
    defaults = { id = "apex" }
  }

  mock_resource "google_container_cluster" {
    defaults = {
      id    = "projects/apex-prod/locations/europe-west1/clusters/apex-europe-west1"
      fleet = { membership = "//gkehub.googleapis.com/projects/apex-prod/locations/europe-west1/memberships/apex-europe-west1" }
    }
  }

  mock_resource "google_service_account" {
    defaults = {
      email  = "apex-nodes@apex-prod.iam.gserviceaccount.com"
      member = "serviceAccount:apex-nodes@apex-prod.iam.gserviceaccount.com"
    }
  }

  mock_resource "google_kms_key_ring" {
    defaults = { id = "projects/apex-prod/locations/europe-west1/keyRings/apex" }
  }

  mock_resource "google_kms_crypto_key" {
    defaults = { id = "projects/apex-prod/locations/europe-west1/keyRings/apex/cryptoKeys/secrets" }
  }
}

variables {
  project_id     = "apex-prod"
  project_number = "123456789012"
  name           = "apex"

  regions = {
    europe-west1 = {
      cidr          = "10.0.0.0/20"
      pods_cidr     = "10.64.0.0/14"
      services_cidr = "10.128.0.0/20"
      zones         = ["europe-west1-b"]
      database      = { tier = "db-perf-optimized-N-2" }
    }
  }
  private_services_cidr = "10.192.0.0/16"
  database              = { home_region = "europe-west1" }

  load_balancer = {
    domains         = ["app.example.com"]
    default_backend = "orders"
    services        = { orders = {} }
  }
}

run "a_project_number_is_no_project_id" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "a_project_id_is_no_project_number" {
  command = plan

  variables {
    project_number = "apex-prod"
  }

  expect_failures = [var.project_number]
}

run "a_name_leaves_room_for_the_region" {
  command = plan

  variables {
    name = "a-name-of-more-than-16"
  }

  expect_failures = [var.name]
}

run "there_is_a_region" {
  command = plan

  variables {
    regions = {}
  }

  expect_failures = [var.regions]
}

run "zones_are_of_their_region" {
  command = plan

  variables {
    regions = {
      europe-west1 = {
        cidr          = "10.0.0.0/20"
        pods_cidr     = "10.64.0.0/14"
        services_cidr = "10.128.0.0/20"
        zones         = ["us-east4-a"]
        database      = { tier = "db-perf-optimized-N-2" }
      }
    }
  }

  expect_failures = [var.regions]
}

run "a_region_has_a_zone" {
  command = plan

  variables {
    regions = {
      europe-west1 = {
        cidr          = "10.0.0.0/20"
        pods_cidr     = "10.64.0.0/14"
        services_cidr = "10.128.0.0/20"
        zones         = []
        database      = { tier = "db-perf-optimized-N-2" }
      }
    }
  }

  expect_failures = [var.regions]
}

run "the_home_region_has_a_database" {
  command = plan

  variables {
    database = { home_region = "us-east4" }
  }

  expect_failures = [var.database]
}

run "the_active_region_has_a_database" {
  command = plan

  variables {
    database = { home_region = "europe-west1", active_region = "us-east4" }
  }

  expect_failures = [var.database]
}

run "a_zone_ends_with_a_dot" {
  command = plan

  variables {
    dns_zone = "example.com"
  }

  expect_failures = [var.dns_zone]
}

run "the_domains_are_in_the_zone" {
  command = plan

  variables {
    dns_zone = "example.org."
  }

  expect_failures = [var.dns_zone]
}

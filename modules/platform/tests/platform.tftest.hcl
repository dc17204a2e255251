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
      zones         = ["europe-west1-b", "europe-west1-c"]
      cluster       = { maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=TU,WE" } }
      database      = { tier = "db-perf-optimized-N-2" }
    }
    us-east4 = {
      cidr          = "10.0.16.0/20"
      pods_cidr     = "10.68.0.0/14"
      services_cidr = "10.128.16.0/20"
      zones         = ["us-east4-a", "us-east4-b"]
      cluster       = { maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=TH,FR" } }
      database      = { tier = "db-perf-optimized-N-2" }
    }
  }
  private_services_cidr = "10.192.0.0/16"

  database = { home_region = "europe-west1", databases = { synapse = {} } }

  load_balancer = {
    domains         = ["app.example.com"]
    default_backend = "monolith"
    monolith        = { internet = { fqdn = "legacy.example.com" } }
    services        = { orders = {} }
    routes          = { orders = { priority = 100, path_prefixes = ["/orders"], backends = { orders = 10, monolith = 90 } } }
  }
}

run "every_region_has_everything" {
  command = plan

  assert {
    condition     = alltrue([for it in [output.clusters, output.database.instances, output.subnets] : jsonencode(keys(it)) == jsonencode(keys(var.regions))])
    error_message = "Subnets, clusters and databases are not keyed by the regions."
  }

  assert {
    condition     = output.database.instances["europe-west1"].role == "primary" && output.database.instances["us-east4"].role == "replica"
    error_message = "The roles of the databases do not follow home_region."
  }

  assert {
    condition     = output.synapse_regions["us-east4"].name == "us-east4" && output.synapse_regions["us-east4"].labels["cluster"] == "apex-us-east4"
    error_message = "synapse_regions is not what synapse_region takes."
  }
}

run "a_region_without_a_database_has_none" {
  command = plan

  variables {
    regions = {
      europe-west1 = {
        cidr          = "10.0.0.0/20"
        pods_cidr     = "10.64.0.0/14"
        services_cidr = "10.128.0.0/20"
        zones         = ["europe-west1-b"]
        cluster       = { maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=TU,WE" } }
        database      = { tier = "db-perf-optimized-N-2" }
      }
      us-east4 = {
        cidr          = "10.0.16.0/20"
        pods_cidr     = "10.68.0.0/14"
        services_cidr = "10.128.16.0/20"
        zones         = ["us-east4-a"]
        cluster       = { maintenance = { recurrence = "FREQ=WEEKLY;BYDAY=TH,FR" } }
      }
    }
    database = { home_region = "europe-west1" }
  }

  assert {
    condition     = jsonencode(keys(output.database.instances)) == jsonencode(["europe-west1"]) && !contains(keys(output.synapse_regions["us-east4"].labels), "database")
    error_message = "A region without a database got one."
  }
}

run "dns_is_left_to_others_without_a_zone" {
  command = plan

  assert {
    condition     = length(output.name_servers) == 0 && length(output.dns_records) > 0
    error_message = "Without a zone there are name servers, or the records are not handed on."
  }
}

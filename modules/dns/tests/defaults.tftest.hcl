mock_provider "google" {
  mock_resource "google_dns_managed_zone" {
    defaults = {
      id           = "projects/acme-prod/managedZones/prod-public"
      name_servers = ["ns-cloud-a1.googledomains.com."]
    }
  }

  mock_resource "google_compute_health_check" {
    defaults = { id = "projects/acme-prod/global/healthChecks/prod-front" }
  }
}

variables {
  project_id = "acme-prod"
  name       = "prod"
  zones = {
    public   = { dns_name = "example.com." }
    internal = { dns_name = "internal.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"] }
  }
}

run "is_safe_by_default" {
  command = plan

  assert {
    condition     = google_dns_managed_zone.this["public"].dnssec_config[0].state == "on" && length(google_dns_managed_zone.this["internal"].dnssec_config) == 0
    error_message = "The public zone is not signed, or the private one is."
  }

  assert {
    condition     = alltrue([for zone in values(google_dns_managed_zone.this) : zone.deletion_policy == "PREVENT" && !zone.force_destroy])
    error_message = "A zone can be deleted by mistake."
  }

  assert {
    condition     = google_dns_managed_zone.this["public"].cloud_logging_config[0].enable_logging
    error_message = "Queries are not logged."
  }

  assert {
    condition     = tolist(google_dns_managed_zone.this["internal"].private_visibility_config[0].networks)[0].network_url == "projects/acme-prod/global/networks/prod"
    error_message = "The private zone is not seen by its network."
  }
}

run "opens_what_it_is_told_to" {
  command = plan

  variables {
    zones = {
      public = { dns_name = "example.com.", dnssec = false, query_logging = false, deletion_protection = false, force_destroy = true }
      legacy = { dns_name = "corp.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"], forwarding_targets = ["10.200.0.53"] }
      shared = { dns_name = "shared.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"], peering_network = "projects/acme-hub/global/networks/hub" }
    }
  }

  assert {
    condition     = google_dns_managed_zone.this["public"].dnssec_config[0].state == "off" && google_dns_managed_zone.this["public"].deletion_policy == "DELETE" && google_dns_managed_zone.this["public"].force_destroy
    error_message = "What was opened is still closed."
  }

  assert {
    condition     = tolist(google_dns_managed_zone.this["legacy"].forwarding_config[0].target_name_servers)[0].ipv4_address == "10.200.0.53" && google_dns_managed_zone.this["shared"].peering_config[0].target_network[0].network_url == "projects/acme-hub/global/networks/hub"
    error_message = "A zone does not forward or peer."
  }
}

run "keeps_records" {
  command = apply

  variables {
    records = {
      "app A"      = { zone = "public", name = "app.example.com.", type = "A", rrdatas = ["203.0.113.10"], deletion_protection = true }
      "app AAAA"   = { zone = "public", name = "app.example.com.", type = "AAAA", rrdatas = ["2001:db8::1"] }
      "any"        = { zone = "public", name = "*.example.com.", type = "CNAME", ttl = 60, rrdatas = ["app.example.com."] }
      "mail"       = { zone = "public", name = "example.com.", type = "MX", rrdatas = ["10 mail.example.com."] }
      "text"       = { zone = "public", name = "example.com.", type = "TXT", rrdatas = ["\"v=spf1 -all\""] }
      "delegation" = { zone = "public", name = "lab.example.com.", type = "NS", rrdatas = ["ns1.example.net."] }
      "database"   = { zone = "internal", name = "db.internal.example.com.", type = "A", rrdatas = ["10.10.0.5"] }
      # The same name and type in another zone is split horizon, not a duplicate.
      "app inside" = { zone = "inside", name = "app.example.com.", type = "A", rrdatas = ["10.10.0.6"] }
    }
    authorizations = { "app.example.com" = { zone = "public", name = "_acme-challenge.app.example.com.", data = "4b7a.authorize.certificatemanager.goog." } }
    zones = {
      public   = { dns_name = "example.com." }
      inside   = { dns_name = "example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"] }
      internal = { dns_name = "internal.example.com.", visibility = "private", networks = ["projects/acme-prod/global/networks/prod"] }
    }
  }

  assert {
    condition     = length(google_dns_record_set.this) == 8 && google_dns_record_set.this["app A"].ttl == 300 && google_dns_record_set.this["app A"].managed_zone == "prod-public" && google_dns_record_set.this["app A"].deletion_policy == "PREVENT" && google_dns_record_set.authorization["app.example.com"].rrdatas[0] == "4b7a.authorize.certificatemanager.goog."
    error_message = "Records are not in their zones, or have another TTL or protection."
  }

  assert {
    condition     = output.zones.public.name_servers == tolist(["ns-cloud-a1.googledomains.com."]) && output.zones.public.dns_name == "example.com." && output.zones.public.name == "prod-public"
    error_message = "The zones to be handed on are not complete."
  }
}

run "leaves_the_others_alone_when_a_record_is_added" {
  command = plan

  variables {
    records = {
      a = { zone = "public", name = "a.example.com.", type = "A", rrdatas = ["203.0.113.10"] }
      z = { zone = "public", name = "z.example.com.", type = "A", rrdatas = ["203.0.113.11"] }
    }
  }

  assert {
    condition     = toset(keys(google_dns_record_set.this)) == toset(["a", "z"])
    error_message = "Records do not have the keys that they were given."
  }
}

run "routes_queries" {
  command = plan

  variables {
    health_checks = { front = { host = "app.example.com", source_regions = ["us-east1", "europe-west1", "asia-east1"] } }
    records = {
      failover = {
        zone = "public", name = "app.example.com.", type = "A", ttl = 30
        routing = {
          policy  = "primary_backup", health_check = "front", trickle_ratio = 0.05
          primary = { external_endpoints = ["203.0.113.10"] }
          answers = { europe-west1 = { external_endpoints = ["203.0.113.20"] } }
        }
      }
      weighted = {
        zone    = "public", name = "api.example.com.", type = "CNAME"
        routing = { policy = "wrr", answers = { old = { weight = 90, rrdatas = ["legacy.example.com."] }, new = { weight = 10, rrdatas = ["app.example.com."] } } }
      }
      nearest = {
        zone = "internal", name = "db.internal.example.com.", type = "A"
        routing = { policy = "geo", geo_fencing = true, answers = {
          europe-west1 = { internal_load_balancers = { this = { type = "regionalL4ilb", ip_address = "10.10.0.5", port = 5432, network = "projects/acme-prod/global/networks/prod", region = "europe-west1" } } }
          us-east1     = { rrdatas = ["10.20.0.5"] }
        } }
      }
    }
  }

  assert {
    condition = (
      google_compute_health_check.this["front"].https_health_check[0].host == "app.example.com" && google_compute_health_check.this["front"].check_interval_sec == 30 &&
      google_compute_health_check.this["front"].source_regions == tolist(["us-east1", "europe-west1", "asia-east1"])
    )
    error_message = "The health check does not probe from three regions."
  }

  assert {
    condition = (
      google_dns_record_set.this["failover"].routing_policy[0].primary_backup[0].primary[0].external_endpoints[0] == "203.0.113.10" &&
      google_dns_record_set.this["failover"].routing_policy[0].primary_backup[0].backup_geo[0].health_checked_targets[0].external_endpoints[0] == "203.0.113.20" &&
      google_dns_record_set.this["failover"].routing_policy[0].primary_backup[0].trickle_ratio == 0.05
    )
    error_message = "The failover is not as it was written."
  }

  assert {
    condition     = { for answer in google_dns_record_set.this["weighted"].routing_policy[0].wrr : answer.rrdatas[0] => answer.weight } == { "legacy.example.com." = 90, "app.example.com." = 10 }
    error_message = "The weights are not as they were written."
  }

  assert {
    condition = (
      google_dns_record_set.this["nearest"].routing_policy[0].enable_geo_fencing && google_dns_record_set.this["nearest"].routing_policy[0].geo[*].location == tolist(["europe-west1", "us-east1"]) &&
      google_dns_record_set.this["nearest"].routing_policy[0].geo[0].health_checked_targets[0].internal_load_balancers[0].port == "5432" &&
      google_dns_record_set.this["nearest"].routing_policy[0].geo[0].health_checked_targets[0].internal_load_balancers[0].project == "acme-prod"
    )
    error_message = "The nearest answer is not as it was written."
  }
}

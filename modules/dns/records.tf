locals {
  # What each policy needs; the others are empty.
  routing = { for key, record in var.records : key => {
    wrr            = try(record.routing.policy, "") == "wrr" ? record.routing.answers : {}
    geo            = try(record.routing.policy, "") == "geo" ? record.routing.answers : {}
    primary_backup = try(record.routing.policy, "") == "primary_backup" ? { this = record.routing } : {}
  } }
}

resource "google_dns_record_set" "this" {
  for_each = var.records

  project         = var.project_id
  managed_zone    = google_dns_managed_zone.this[each.value.zone].name
  name            = each.value.name
  type            = each.value.type
  ttl             = each.value.ttl
  rrdatas         = each.value.rrdatas
  deletion_policy = each.value.deletion_protection ? "PREVENT" : "DELETE"

  dynamic "routing_policy" {
    for_each = each.value.routing == null ? {} : { this = each.value.routing }

    content {
      health_check       = routing_policy.value.health_check == null ? null : google_compute_health_check.this[routing_policy.value.health_check].id
      enable_geo_fencing = routing_policy.value.policy == "geo" ? routing_policy.value.geo_fencing : null

      dynamic "wrr" {
        for_each = local.routing[each.key].wrr

        content {
          weight  = wrr.value.weight
          rrdatas = length(wrr.value.rrdatas) == 0 ? null : wrr.value.rrdatas

          dynamic "health_checked_targets" {
            for_each = length(wrr.value.rrdatas) == 0 ? { this = wrr.value } : {}

            content {
              external_endpoints = length(health_checked_targets.value.external_endpoints) == 0 ? null : health_checked_targets.value.external_endpoints

              dynamic "internal_load_balancers" {
                for_each = health_checked_targets.value.internal_load_balancers

                content {
                  load_balancer_type = internal_load_balancers.value.type
                  ip_address         = internal_load_balancers.value.ip_address
                  port               = internal_load_balancers.value.port
                  ip_protocol        = internal_load_balancers.value.protocol
                  network_url        = internal_load_balancers.value.network
                  project            = coalesce(internal_load_balancers.value.project_id, var.project_id)
                  region             = internal_load_balancers.value.region
                }
              }
            }
          }
        }
      }

      dynamic "geo" {
        for_each = local.routing[each.key].geo

        content {
          location = geo.key
          rrdatas  = length(geo.value.rrdatas) == 0 ? null : geo.value.rrdatas

          dynamic "health_checked_targets" {
            for_each = length(geo.value.rrdatas) == 0 ? { this = geo.value } : {}

            content {
              external_endpoints = length(health_checked_targets.value.external_endpoints) == 0 ? null : health_checked_targets.value.external_endpoints

              dynamic "internal_load_balancers" {
                for_each = health_checked_targets.value.internal_load_balancers

                content {
                  load_balancer_type = internal_load_balancers.value.type
                  ip_address         = internal_load_balancers.value.ip_address
                  port               = internal_load_balancers.value.port
                  ip_protocol        = internal_load_balancers.value.protocol
                  network_url        = internal_load_balancers.value.network
                  project            = coalesce(internal_load_balancers.value.project_id, var.project_id)
                  region             = internal_load_balancers.value.region
                }
              }
            }
          }
        }
      }

      dynamic "primary_backup" {
        for_each = local.routing[each.key].primary_backup

        content {
          trickle_ratio                  = primary_backup.value.trickle_ratio
          enable_geo_fencing_for_backups = primary_backup.value.geo_fencing

          primary {
            external_endpoints = length(primary_backup.value.primary.external_endpoints) == 0 ? null : primary_backup.value.primary.external_endpoints

            dynamic "internal_load_balancers" {
              for_each = primary_backup.value.primary.internal_load_balancers

              content {
                load_balancer_type = internal_load_balancers.value.type
                ip_address         = internal_load_balancers.value.ip_address
                port               = internal_load_balancers.value.port
                ip_protocol        = internal_load_balancers.value.protocol
                network_url        = internal_load_balancers.value.network
                project            = coalesce(internal_load_balancers.value.project_id, var.project_id)
                region             = internal_load_balancers.value.region
              }
            }
          }

          dynamic "backup_geo" {
            for_each = primary_backup.value.answers

            content {
              location = backup_geo.key
              rrdatas  = length(backup_geo.value.rrdatas) == 0 ? null : backup_geo.value.rrdatas

              dynamic "health_checked_targets" {
                for_each = length(backup_geo.value.rrdatas) == 0 ? { this = backup_geo.value } : {}

                content {
                  external_endpoints = length(health_checked_targets.value.external_endpoints) == 0 ? null : health_checked_targets.value.external_endpoints

                  dynamic "internal_load_balancers" {
                    for_each = health_checked_targets.value.internal_load_balancers

                    content {
                      load_balancer_type = internal_load_balancers.value.type
                      ip_address         = internal_load_balancers.value.ip_address
                      port               = internal_load_balancers.value.port
                      ip_protocol        = internal_load_balancers.value.protocol
                      network_url        = internal_load_balancers.value.network
                      project            = coalesce(internal_load_balancers.value.project_id, var.project_id)
                      region             = internal_load_balancers.value.region
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}

resource "google_dns_record_set" "authorization" {
  for_each = var.authorizations

  project      = var.project_id
  managed_zone = google_dns_managed_zone.this[each.value.zone].name
  name         = each.value.name
  type         = each.value.type
  ttl          = each.value.ttl
  rrdatas      = [each.value.data]
}

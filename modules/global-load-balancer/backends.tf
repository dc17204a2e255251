locals {
  # The health check of every backend that has one; H2C is probed with HTTP/1.1, since HTTP2 probes use TLS.
  health_checks = merge(
    { for name, service in var.services : name => merge(service.health_check, {
      protocol = coalesce(service.health_check.protocol, service.protocol == "H2C" ? "HTTP" : service.protocol)
    }) },
    local.hybrid == null ? {} : { monolith = merge(local.hybrid.health_check, {
      protocol = coalesce(local.hybrid.health_check.protocol, var.monolith.protocol)
    }) },
  )

  service_backends = {
    for name, regions in local.placements : name => merge([
      for region, placement in regions : {
        for zone in try(keys(placement.given), var.regions[region].zones) : zone => {
          group     = placement.given == null ? google_compute_network_endpoint_group.service["${name}/${zone}"].id : placement.given[zone]
          capacity  = placement.capacity
          max_rate  = placement.max_rate
          preferred = placement.preferred
        }
      }
    ]...)
  }

  monolith_backends = merge(
    { for zone in local.monolith_zones : zone => {
      group = google_compute_network_endpoint_group.monolith[zone].id, capacity = 1, max_rate = local.hybrid.max_rate_per_endpoint, preferred = false
    } },
    { for key, group in google_compute_global_network_endpoint_group.monolith : key => {
      group = group.id, capacity = 1, max_rate = null, preferred = false
    } },
  )

  # What a service and the monolith have in common, so that there is one kind of backend service.
  backend_services = merge(
    { for name, service in var.services : name => {
      protocol                = service.protocol
      timeout                 = service.timeout
      connection_draining     = service.connection_draining
      locality_lb_policy      = service.locality_lb_policy
      session_affinity        = service.session_affinity
      affinity_cookie_ttl     = service.session_affinity == "GENERATED_COOKIE" ? service.affinity_cookie_ttl : null
      log_sample_rate         = service.log_sample_rate
      custom_request_headers  = service.custom_request_headers
      custom_response_headers = service.custom_response_headers
      backends                = local.service_backends[name]
      outlier_detection       = service.outlier_detection.enabled ? { this = service.outlier_detection } : {}
      service_lb_policy       = var.service_lb_policy
    } },
    { for name, monolith in { for name, monolith in { monolith = var.monolith } : name => monolith if monolith != null } : name => {
      protocol                = monolith.protocol
      timeout                 = monolith.timeout
      connection_draining     = monolith.connection_draining
      locality_lb_policy      = "ROUND_ROBIN"
      session_affinity        = "NONE"
      affinity_cookie_ttl     = null
      log_sample_rate         = monolith.log_sample_rate
      custom_request_headers  = concat(monolith.custom_request_headers, compact([try("Host: ${local.internet.host_header}", null)]))
      custom_response_headers = monolith.custom_response_headers
      backends                = local.monolith_backends
      # Its endpoints are few, and there is nowhere else to go: ejecting them or draining the group could only make matters worse.
      outlier_detection = {}
      service_lb_policy = null
    } },
  )
}

resource "google_compute_health_check" "this" {
  for_each = local.health_checks

  project             = var.project_id
  name                = "${var.name}-${each.key}"
  description         = "Are endpoints of ${each.key} fit to serve?"
  check_interval_sec  = each.value.interval
  timeout_sec         = each.value.timeout
  healthy_threshold   = each.value.healthy_threshold
  unhealthy_threshold = each.value.unhealthy_threshold

  dynamic "http_health_check" {
    for_each = each.value.protocol == "HTTP" ? { this = each.value } : {}

    content {
      request_path       = http_health_check.value.path
      host               = http_health_check.value.host
      port               = http_health_check.value.port
      port_specification = http_health_check.value.port == null ? "USE_SERVING_PORT" : "USE_FIXED_PORT"
    }
  }

  dynamic "https_health_check" {
    for_each = each.value.protocol == "HTTPS" ? { this = each.value } : {}

    content {
      request_path       = https_health_check.value.path
      host               = https_health_check.value.host
      port               = https_health_check.value.port
      port_specification = https_health_check.value.port == null ? "USE_SERVING_PORT" : "USE_FIXED_PORT"
    }
  }

  dynamic "http2_health_check" {
    for_each = each.value.protocol == "HTTP2" ? { this = each.value } : {}

    content {
      request_path       = http2_health_check.value.path
      host               = http2_health_check.value.host
      port               = http2_health_check.value.port
      port_specification = http2_health_check.value.port == null ? "USE_SERVING_PORT" : "USE_FIXED_PORT"
    }
  }

  log_config {
    enable = true
  }

  # Who refers to it is updated before it is deleted.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_backend_service" "this" {
  for_each = local.backend_services

  project                         = var.project_id
  name                            = "${var.name}-${each.key}"
  description                     = "Backends of ${each.key}."
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = each.value.protocol
  timeout_sec                     = each.value.timeout
  connection_draining_timeout_sec = each.value.connection_draining
  locality_lb_policy              = each.value.locality_lb_policy
  ip_address_selection_policy     = "IPV4_ONLY"
  session_affinity                = each.value.session_affinity
  affinity_cookie_ttl_sec         = each.value.affinity_cookie_ttl
  custom_request_headers          = each.value.custom_request_headers
  custom_response_headers         = each.value.custom_response_headers
  health_checks                   = contains(keys(local.health_checks), each.key) ? [google_compute_health_check.this[each.key].id] : null
  security_policy                 = google_compute_security_policy.this.id
  service_lb_policy               = each.value.service_lb_policy == null ? null : "//networkservices.googleapis.com/${each.value.service_lb_policy}"

  # An internet group has no capacity, hence neither a rate nor a balancing mode of its own.
  dynamic "backend" {
    for_each = each.value.backends

    content {
      group                 = backend.value.group
      balancing_mode        = backend.value.max_rate == null ? null : "RATE"
      max_rate_per_endpoint = backend.value.max_rate
      capacity_scaler       = backend.value.capacity
      preference            = backend.value.preferred ? "PREFERRED" : null
    }
  }

  # Everything is set, since the provider takes a default that Google fills in for a change.
  dynamic "outlier_detection" {
    for_each = each.value.outlier_detection

    content {
      consecutive_errors                    = outlier_detection.value.consecutive_errors
      consecutive_gateway_failure           = outlier_detection.value.consecutive_errors
      enforcing_consecutive_errors          = 100
      enforcing_consecutive_gateway_failure = 100
      enforcing_success_rate                = 100
      max_ejection_percent                  = outlier_detection.value.max_ejection_percent
      success_rate_minimum_hosts            = 5
      success_rate_request_volume           = 100
      success_rate_stdev_factor             = 1900

      interval {
        seconds = outlier_detection.value.interval
      }

      base_ejection_time {
        seconds = outlier_detection.value.base_ejection_time
      }
    }
  }

  log_config {
    enable      = true
    sample_rate = each.value.log_sample_rate
  }

  # No request goes to a group of the monolith that has no endpoint yet.
  depends_on = [google_compute_network_endpoint.monolith, google_compute_global_network_endpoint.monolith]

  # Routes leave a service before it is deleted.
  lifecycle {
    create_before_destroy = true
  }
}

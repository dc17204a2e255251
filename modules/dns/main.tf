resource "google_dns_managed_zone" "this" {
  for_each = var.zones

  project         = var.project_id
  name            = "${var.name}-${each.key}"
  dns_name        = each.value.dns_name
  description     = coalesce(each.value.description, "Managed by Terraform.")
  visibility      = each.value.visibility
  labels          = var.labels
  force_destroy   = each.value.force_destroy
  deletion_policy = each.value.deletion_protection ? "PREVENT" : "DELETE"

  dynamic "dnssec_config" {
    for_each = each.value.visibility == "public" ? { this = coalesce(each.value.dnssec, true) ? "on" : "off" } : {}

    content {
      state = dnssec_config.value
    }
  }

  dynamic "cloud_logging_config" {
    for_each = each.value.visibility == "public" ? { this = each.value.query_logging } : {}

    content {
      enable_logging = cloud_logging_config.value
    }
  }

  dynamic "private_visibility_config" {
    for_each = each.value.visibility == "private" ? { this = each.value.networks } : {}

    content {
      dynamic "networks" {
        for_each = private_visibility_config.value

        content {
          network_url = networks.value
        }
      }
    }
  }

  dynamic "forwarding_config" {
    for_each = length(each.value.forwarding_targets) == 0 ? {} : { this = each.value.forwarding_targets }

    content {
      dynamic "target_name_servers" {
        for_each = forwarding_config.value

        content {
          ipv4_address = target_name_servers.value
        }
      }
    }
  }

  dynamic "peering_config" {
    for_each = each.value.peering_network == null ? {} : { this = each.value.peering_network }

    content {
      target_network {
        network_url = peering_config.value
      }
    }
  }
}

resource "google_compute_health_check" "this" {
  for_each = var.health_checks

  project             = var.project_id
  name                = "${var.name}-${each.key}"
  description         = "Are the endpoints that Cloud DNS answers with fit to serve?"
  check_interval_sec  = each.value.interval
  timeout_sec         = each.value.timeout
  healthy_threshold   = each.value.healthy_threshold
  unhealthy_threshold = each.value.unhealthy_threshold
  source_regions      = each.value.source_regions

  dynamic "http_health_check" {
    for_each = each.value.protocol == "HTTP" ? { this = each.value } : {}

    content {
      port               = http_health_check.value.port
      port_specification = "USE_FIXED_PORT"
      request_path       = http_health_check.value.path
      host               = http_health_check.value.host
    }
  }

  dynamic "https_health_check" {
    for_each = each.value.protocol == "HTTPS" ? { this = each.value } : {}

    content {
      port               = https_health_check.value.port
      port_specification = "USE_FIXED_PORT"
      request_path       = https_health_check.value.path
      host               = https_health_check.value.host
    }
  }

  dynamic "tcp_health_check" {
    for_each = each.value.protocol == "TCP" ? { this = each.value } : {}

    content {
      port               = tcp_health_check.value.port
      port_specification = "USE_FIXED_PORT"
    }
  }

  log_config {
    enable = true
  }

  # Records that were checked are replaced before it is deleted.
  lifecycle {
    create_before_destroy = true
  }
}

locals {
  # A rule holds ten ranges at most.
  denied_ip_ranges = { for index, ranges in chunklist(sort(var.security.denied_ip_ranges), 10) : 100 + index => ranges }
}

resource "google_compute_security_policy" "this" {
  project     = var.project_id
  name        = var.name
  description = "Guards the backends of the load balancer ${var.name}."
  type        = "CLOUD_ARMOR"
  labels      = var.labels

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable          = var.security.adaptive_protection
      rule_visibility = "STANDARD"
    }
  }

  # Without it, attacks inside of JSON bodies are not seen.
  advanced_options_config {
    json_parsing = "STANDARD"
    log_level    = var.security.verbose_logging ? "VERBOSE" : "NORMAL"
  }

  dynamic "rule" {
    for_each = local.denied_ip_ranges

    content {
      priority    = rule.key
      action      = "deny(403)"
      description = "Denied ranges."
      preview     = false

      match {
        versioned_expr = "SRC_IPS_V1"

        config {
          src_ip_ranges = rule.value
        }
      }
    }
  }

  dynamic "rule" {
    for_each = var.security.waf_rules

    content {
      priority    = rule.value.priority
      action      = "deny(${rule.value.response_code})"
      description = rule.key
      preview     = rule.value.preview

      match {
        expr {
          expression = "evaluatePreconfiguredWaf('${rule.key}', ${replace(jsonencode(merge(
            { sensitivity = rule.value.sensitivity },
            length(rule.value.opt_out_rule_ids) == 0 ? {} : { opt_out_rule_ids = sort(rule.value.opt_out_rule_ids) },
          )), "\"", "'")})"
        }
      }

      dynamic "preconfigured_waf_config" {
        for_each = length(rule.value.exclude_uri_paths) == 0 ? {} : { this = rule.value.exclude_uri_paths }

        content {
          exclusion {
            target_rule_set = rule.key

            dynamic "request_uri" {
              for_each = preconfigured_waf_config.value

              content {
                operator = "STARTS_WITH"
                value    = request_uri.value
              }
            }
          }
        }
      }
    }
  }

  dynamic "rule" {
    for_each = var.security.rate_limits

    content {
      priority    = rule.value.priority
      action      = rule.value.ban == null ? "throttle" : "rate_based_ban"
      description = "Rate limit ${rule.key}."
      preview     = rule.value.preview

      match {
        versioned_expr = rule.value.expression == null ? "SRC_IPS_V1" : null

        dynamic "config" {
          for_each = rule.value.expression == null ? { this = ["*"] } : {}

          content {
            src_ip_ranges = config.value
          }
        }

        dynamic "expr" {
          for_each = rule.value.expression == null ? {} : { this = rule.value.expression }

          content {
            expression = expr.value
          }
        }
      }

      rate_limit_options {
        conform_action      = "allow"
        exceed_action       = "deny(429)"
        enforce_on_key      = rule.value.key
        enforce_on_key_name = rule.value.key_name
        ban_duration_sec    = try(rule.value.ban.duration, null)

        rate_limit_threshold {
          count        = rule.value.requests
          interval_sec = rule.value.interval
        }
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "allow"
    description = "All that no other rule decides."
    preview     = false

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

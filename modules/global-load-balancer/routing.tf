locals {
  # Sorted by priority, as Google returns them.
  routes = [for key in sort([for name, route in var.routes : format("%010d %s", route.priority, name)]) : merge(
    var.routes[split(" ", key)[1]], { name = split(" ", key)[1] }
  )]

  # A header per cookie would match the header twice: one regular expression for each cookie, and all of them have to match.
  route_headers = { for name, route in var.routes : name => concat(
    [for header, h in route.headers : merge(h, { name = header })],
    [for cookie, value in route.cookies : {
      name = "cookie", exact = null, prefix = null, suffix = null, regex = "(?:.*;[ ]*)?${cookie}=(?:${value})(?:;.*)?", present = null, invert = false
    }],
  ) }

  # The paths of a route are alternatives; a route without any matches by its headers alone.
  route_paths = { for name, route in var.routes : name => concat(
    [for path in route.paths : { full = path, prefix = null }],
    [for path in route.path_prefixes : { full = null, prefix = path }],
    length(route.paths) + length(route.path_prefixes) == 0 ? [{ full = null, prefix = "/" }] : [],
  ) }

  canonical_domain = [for domain in sort(var.domains) : domain if !startswith(domain, "*.")][0]
}

resource "google_compute_url_map" "https" {
  project     = var.project_id
  name        = "${var.name}-https"
  description = "Which backend serves which request."

  # Who asks for another host, mostly scanners that know the address only, does not reach a backend.
  default_url_redirect {
    host_redirect          = local.canonical_domain
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }

  host_rule {
    hosts        = var.domains
    path_matcher = "main"
  }

  path_matcher {
    name            = "main"
    default_service = google_compute_backend_service.this[var.default_backend].id

    dynamic "route_rules" {
      for_each = local.routes

      content {
        priority = route_rules.value.priority

        dynamic "match_rules" {
          for_each = local.route_paths[route_rules.value.name]

          content {
            full_path_match = match_rules.value.full
            prefix_match    = match_rules.value.prefix

            dynamic "header_matches" {
              for_each = local.route_headers[route_rules.value.name]

              content {
                header_name   = header_matches.value.name
                exact_match   = header_matches.value.exact
                prefix_match  = header_matches.value.prefix
                suffix_match  = header_matches.value.suffix
                regex_match   = header_matches.value.regex
                present_match = header_matches.value.present
                invert_match  = header_matches.value.invert
              }
            }
          }
        }

        route_action {
          dynamic "weighted_backend_services" {
            for_each = route_rules.value.backends

            content {
              backend_service = google_compute_backend_service.this[weighted_backend_services.key].id
              weight          = weighted_backend_services.value
            }
          }

          dynamic "request_mirror_policy" {
            for_each = route_rules.value.mirror == null ? {} : { this = route_rules.value.mirror }

            content {
              backend_service = google_compute_backend_service.this[request_mirror_policy.value].id
            }
          }

          dynamic "url_rewrite" {
            for_each = route_rules.value.prefix_rewrite == null && route_rules.value.host_rewrite == null ? {} : { this = route_rules.value }

            content {
              path_prefix_rewrite = url_rewrite.value.prefix_rewrite
              host_rewrite        = url_rewrite.value.host_rewrite
            }
          }

          dynamic "timeout" {
            for_each = route_rules.value.timeout == null ? {} : { this = route_rules.value.timeout }

            content {
              seconds = timeout.value
            }
          }

          dynamic "retry_policy" {
            for_each = route_rules.value.retries == null ? {} : { this = route_rules.value.retries }

            content {
              num_retries      = retry_policy.value.attempts
              retry_conditions = sort(retry_policy.value.conditions)

              per_try_timeout {
                seconds = retry_policy.value.per_try_timeout
              }
            }
          }
        }
      }
    }
  }
}

resource "google_compute_url_map" "redirect" {
  project     = var.project_id
  name        = "${var.name}-redirect"
  description = "HTTP to HTTPS."

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

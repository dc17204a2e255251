mock_provider "google" {
  mock_resource "google_compute_global_address" {
    defaults = { id = "projects/acme-prod/global/addresses/prod-ipv4", address = "203.0.113.10" }
  }

  mock_resource "google_compute_network_endpoint_group" {
    defaults = { id = "projects/acme-prod/zones/europe-west1-b/networkEndpointGroups/prod-orders" }
  }

  mock_resource "google_compute_global_network_endpoint_group" {
    defaults = { id = "projects/acme-prod/global/networkEndpointGroups/prod-monolith" }
  }

  mock_resource "google_compute_backend_service" {
    defaults = { id = "projects/acme-prod/global/backendServices/prod-orders" }
  }

  mock_resource "google_compute_health_check" {
    defaults = { id = "projects/acme-prod/global/healthChecks/prod-orders" }
  }

  mock_resource "google_compute_security_policy" {
    defaults = { id = "projects/acme-prod/global/securityPolicies/prod" }
  }

  mock_resource "google_compute_ssl_policy" {
    defaults = { id = "projects/acme-prod/global/sslPolicies/prod" }
  }

  mock_resource "google_compute_url_map" {
    defaults = { id = "projects/acme-prod/global/urlMaps/prod-https" }
  }

  mock_resource "google_compute_target_https_proxy" {
    defaults = { id = "projects/acme-prod/global/targetHttpsProxies/prod-https" }
  }

  mock_resource "google_compute_target_http_proxy" {
    defaults = { id = "projects/acme-prod/global/targetHttpProxies/prod-http" }
  }

  mock_resource "google_certificate_manager_certificate_map" {
    defaults = { id = "projects/acme-prod/locations/global/certificateMaps/prod" }
  }

  mock_resource "google_certificate_manager_certificate" {
    defaults = { id = "projects/acme-prod/locations/global/certificates/prod-app" }
  }

  mock_resource "google_certificate_manager_dns_authorization" {
    defaults = {
      id                  = "projects/acme-prod/locations/global/dnsAuthorizations/prod-app"
      dns_resource_record = [{ name = "_acme-challenge.app.example.com.", type = "CNAME", data = "4b7a.authorize.certificatemanager.goog." }]
    }
  }
}

variables {
  project_id = "acme-prod"
  name       = "prod"
  network    = { id = "projects/acme-prod/global/networks/prod" }

  regions = {
    europe-west1 = { zones = ["europe-west1-b", "europe-west1-c"], subnet = { id = "projects/acme-prod/regions/europe-west1/subnetworks/prod" } }
    us-east1     = { zones = ["us-east1-b", "us-east1-c"], subnet = { id = "projects/acme-prod/regions/us-east1/subnetworks/prod" } }
  }

  domains         = ["app.example.com"]
  services        = { orders = {} }
  default_backend = "orders"
}

run "is_safe_by_default" {
  command = plan

  assert {
    condition = alltrue(concat(
      [for rule in values(google_compute_global_forwarding_rule.this) : rule.load_balancing_scheme == "EXTERNAL_MANAGED" && rule.deletion_policy == "PREVENT"],
      [for address in values(google_compute_global_address.this) : address.deletion_policy == "PREVENT"],
      [for service in values(google_compute_backend_service.this) : service.load_balancing_scheme == "EXTERNAL_MANAGED"],
    ))
    error_message = "Something has another scheme, or can be deleted by mistake."
  }

  assert {
    condition     = google_compute_ssl_policy.this.profile == "MODERN" && google_compute_ssl_policy.this.min_tls_version == "TLS_1_2" && google_compute_target_https_proxy.this.quic_override == "ENABLE" && google_compute_target_https_proxy.this.tls_early_data == "DISABLED"
    error_message = "The front is not TLS 1.2 or later with HTTP/3 and without early data."
  }

  assert {
    condition     = google_compute_url_map.redirect.default_url_redirect[0].https_redirect && google_compute_url_map.https.default_url_redirect[0].host_redirect == "app.example.com"
    error_message = "HTTP is not redirected to HTTPS, or unknown hosts not to the first domain."
  }

  assert {
    condition     = toset(keys(google_compute_global_forwarding_rule.this)) == toset(["ipv4-http", "ipv4-https", "ipv6-http", "ipv6-https"])
    error_message = "HTTP and HTTPS are not served over IPv4 and IPv6."
  }

  assert {
    condition     = length([for rule in google_compute_security_policy.this.rule : rule if strcontains(try(rule.match[0].expr[0].expression, ""), "evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity':1})") && !rule.preview]) == 1
    error_message = "The WAF does not look for SQL injection."
  }

  assert {
    condition     = google_compute_security_policy.this.adaptive_protection_config[0].layer_7_ddos_defense_config[0].enable && length([for rule in google_compute_security_policy.this.rule : rule if rule.action == "throttle" && try(rule.rate_limit_options[0].enforce_on_key, "") == "IP"]) == 1
    error_message = "There is no adaptive protection or no rate limit for each address."
  }

  assert {
    condition     = google_compute_backend_service.this["orders"].log_config[0].enable && google_compute_backend_service.this["orders"].outlier_detection[0].consecutive_errors == 5 && google_compute_health_check.this["orders"].http_health_check[0].port_specification == "USE_SERVING_PORT"
    error_message = "A service has no log, no outlier detection or no health check at the port of its pods."
  }
}

run "makes_a_group_for_each_service_and_zone" {
  command = plan

  variables {
    services = { orders = {}, login = { regions = { us-east1 = { capacity = 0.5, max_rate_per_endpoint = 20, preferred = true } } } }
  }

  assert {
    condition = toset(keys(google_compute_network_endpoint_group.service)) == toset([
      "login/us-east1-b", "login/us-east1-c", "orders/europe-west1-b", "orders/europe-west1-c", "orders/us-east1-b", "orders/us-east1-c",
    ])
    error_message = "There is not one group for each service and zone."
  }

  assert {
    condition     = alltrue([for group in values(google_compute_network_endpoint_group.service) : group.description != "" && !can(jsondecode(group.description)) && group.network != "" && group.subnetwork != ""])
    error_message = "GKE takes over groups only that have a description which is not JSON, and the network and subnet of the cluster."
  }

  assert {
    condition     = output.neg_annotations.login == { us-east1 = "{\"exposed_ports\":{\"80\":{\"name\":\"prod-login\"}}}" }
    error_message = "The annotation does not name the group of the service."
  }

  assert {
    condition     = alltrue([for local in local.service_backends.login : local.capacity == 0.5 && local.max_rate == 20 && local.preferred])
    error_message = "The settings of a region do not reach its backends."
  }
}

run "leaves_the_others_alone_when_a_region_is_added" {
  command = plan

  variables {
    regions = {
      europe-west1 = { zones = ["europe-west1-b", "europe-west1-c"], subnet = { id = "projects/acme-prod/regions/europe-west1/subnetworks/prod" } }
      us-east1     = { zones = ["us-east1-b", "us-east1-c"], subnet = { id = "projects/acme-prod/regions/us-east1/subnetworks/prod" } }
      asia-east1   = { zones = ["asia-east1-a"], subnet = { id = "projects/acme-prod/regions/asia-east1/subnetworks/prod" }, neg_suffix = "b" }
    }
  }

  assert {
    condition = { for key, group in google_compute_network_endpoint_group.service : key => group.name } == {
      "orders/asia-east1-a" = "prod-orders-b", "orders/europe-west1-b" = "prod-orders", "orders/europe-west1-c" = "prod-orders", "orders/us-east1-b" = "prod-orders", "orders/us-east1-c" = "prod-orders",
    }
    error_message = "A region more changes keys or names of the groups of others, or has not the suffix."
  }
}

run "drains_a_region" {
  command = plan

  variables {
    drained_regions = ["us-east1"]
  }

  assert {
    condition     = { for zone, backend in local.service_backends.orders : zone => backend.capacity } == { europe-west1-b = 1, europe-west1-c = 1, us-east1-b = 0, us-east1-c = 0 }
    error_message = "The capacity of a drained region is not 0, or that of another one is."
  }

  assert {
    condition     = length(google_compute_network_endpoint_group.service) == 4
    error_message = "Draining a region changes more than the capacity."
  }
}

run "takes_groups_that_exist" {
  command = plan

  variables {
    services = { orders = { regions = {
      europe-west1 = {}
      us-east1     = { network_endpoint_groups = { us-east1-d = "projects/acme-prod/zones/us-east1-d/networkEndpointGroups/k8s1-orders" } }
    } } }
  }

  assert {
    condition     = toset(keys(google_compute_network_endpoint_group.service)) == toset(["orders/europe-west1-b", "orders/europe-west1-c"]) && local.service_backends.orders["us-east1-d"].group == "projects/acme-prod/zones/us-east1-d/networkEndpointGroups/k8s1-orders"
    error_message = "A group that was given is made again, or not used."
  }

  assert {
    condition     = join(",", keys(output.neg_annotations.orders)) == "europe-west1"
    error_message = "There is an annotation for groups that others made."
  }
}

run "reaches_a_hybrid_monolith" {
  command = plan

  variables {
    monolith = { hybrid = { endpoints = {
      a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" }
      b = { ip_address = "10.200.0.11", port = 8443, zone = "europe-west1-b" }
    } } }
    default_backend = "monolith"
    drained_regions = ["europe-west1"]
  }

  assert {
    condition     = google_compute_network_endpoint_group.monolith["europe-west1-b"].network_endpoint_type == "NON_GCP_PRIVATE_IP_PORT" && length(google_compute_network_endpoint.monolith) == 2 && length(google_compute_global_network_endpoint.monolith) == 0
    error_message = "The monolith has not one hybrid group with two endpoints."
  }

  assert {
    condition     = google_compute_health_check.this["monolith"].https_health_check[0].request_path == "/healthz" && local.monolith_backends["europe-west1-b"].max_rate == 100 && local.monolith_backends["europe-west1-b"].capacity == 1
    error_message = "The monolith has no health check or no rate, or is drained with a region."
  }

  assert {
    condition     = length(google_compute_backend_service.this["monolith"].outlier_detection) == 0
    error_message = "Endpoints of the monolith are ejected."
  }
}

run "reaches_an_internet_monolith" {
  command = plan

  variables {
    monolith = { internet = { fqdn = "origin.example.com", host_header = "app.example.com" } }
  }

  assert {
    condition     = google_compute_global_network_endpoint_group.monolith["this"].network_endpoint_type == "INTERNET_FQDN_PORT" && google_compute_global_network_endpoint.monolith["this"].fqdn == "origin.example.com" && google_compute_global_network_endpoint.monolith["this"].port == 443
    error_message = "The monolith has no internet group with its name."
  }

  assert {
    condition     = !contains(keys(google_compute_health_check.this), "monolith") && google_compute_backend_service.this["monolith"].health_checks == null && local.monolith_backends["this"].max_rate == null
    error_message = "The backend service of the monolith has what Google refuses for internet groups."
  }

  assert {
    condition     = tolist(google_compute_backend_service.this["monolith"].custom_request_headers) == tolist(["Host: app.example.com"])
    error_message = "The monolith is not asked for the host that it knows."
  }
}

run "routes_by_weight_header_and_cookie" {
  command = plan

  variables {
    monolith        = { hybrid = { endpoints = { a = { ip_address = "10.200.0.10", port = 8443, zone = "europe-west1-b" } } } }
    default_backend = "monolith"
    services        = { orders = {}, login = {} }
    routes = {
      split = { priority = 200, path_prefixes = ["/login"], backends = { monolith = 90, login = 10 }, mirror = "orders", retries = {}, timeout = 5 }
      canary = {
        priority = 100, headers = { x-canary = { exact = "always" } }, cookies = { canary = "on|yes" }, backends = { login = 100 }, prefix_rewrite = "/v2"
      }
    }
  }

  assert {
    condition     = google_compute_url_map.https.path_matcher[0].route_rules[*].priority == tolist([100, 200])
    error_message = "Routes are not sorted by priority."
  }

  assert {
    condition     = { for backend, weight in local.routes[1].backends : backend => weight } == { login = 10, monolith = 90 } && toset(google_compute_url_map.https.path_matcher[0].route_rules[1].route_action[0].weighted_backend_services[*].weight) == toset([10, 90])
    error_message = "The weights do not reach the URL map."
  }

  assert {
    condition = { for match in google_compute_url_map.https.path_matcher[0].route_rules[0].match_rules[0].header_matches : match.header_name => coalesce(match.exact_match, match.regex_match) } == {
      x-canary = "always", cookie = "(?:.*;[ ]*)?canary=(?:on|yes)(?:;.*)?"
    }
    error_message = "The canary is not found by its header and its cookie."
  }

  assert {
    condition     = google_compute_url_map.https.path_matcher[0].route_rules[0].match_rules[0].prefix_match == "/" && google_compute_url_map.https.path_matcher[0].route_rules[1].match_rules[0].prefix_match == "/login"
    error_message = "The paths do not reach the URL map."
  }

  assert {
    condition = alltrue([for cookie, found in { "canary=on" = true, "a=b; canary=yes" = true, "a=b;canary=on; c=d" = true, "xcanary=on" = false, "canary=only" = false, "a=canary=on" = false } :
    can(regex("^(?:${local.route_headers.canary[1].regex})$", cookie)) == found])
    error_message = "The regular expression for a cookie finds another one, or not the cookie."
  }

  assert {
    condition     = length(google_compute_url_map.https.path_matcher[0].route_rules[1].route_action[0].request_mirror_policy) == 1 && google_compute_url_map.https.path_matcher[0].route_rules[1].route_action[0].timeout[0].seconds == "5" && google_compute_url_map.https.path_matcher[0].route_rules[0].route_action[0].url_rewrite[0].path_prefix_rewrite == "/v2"
    error_message = "Mirror, timeout or rewrite do not reach the URL map."
  }
}

run "has_a_certificate_for_each_domain" {
  command = apply

  variables {
    domains = ["app.example.com", "*.app.example.com", "api.example.com"]
  }

  assert {
    condition     = length(google_certificate_manager_certificate.this) == 3 && toset(keys(google_certificate_manager_dns_authorization.this)) == toset(["api.example.com", "app.example.com"])
    error_message = "There is not one certificate for each domain, and one authorization for a domain and its wildcard."
  }

  assert {
    condition     = alltrue([for certificate in values(google_certificate_manager_certificate.this) : length(certificate.name) <= 63 && can(regex("^[a-z][-a-z0-9]*[a-z0-9]$", certificate.name))]) && length(distinct(values(google_certificate_manager_certificate.this)[*].name)) == 3
    error_message = "The names of the certificates are not valid or not unique."
  }

  assert {
    condition = output.dns_authorizations["app.example.com"] == {
      name = "_acme-challenge.app.example.com.", type = "CNAME", data = "4b7a.authorize.certificatemanager.goog."
    } && output.dns_records["*.app.example.com A"].name == "*.app.example.com." && length(output.dns_records) == 6
    error_message = "The records for the module dns are not complete."
  }

  assert {
    condition     = google_compute_target_https_proxy.this.certificate_map == "//certificatemanager.googleapis.com/projects/acme-prod/locations/global/certificateMaps/prod"
    error_message = "The proxy does not name the certificate map as Google wants it."
  }

  assert {
    condition     = output.load_balancer.domains == tolist(["*.app.example.com", "api.example.com", "app.example.com"]) && output.load_balancer.ip_address == "203.0.113.10" && join(",", keys(output.load_balancer.backend_services)) == "orders"
    error_message = "The object to be handed on is not complete."
  }
}

run "guards_with_what_it_is_told" {
  command = plan

  variables {
    service_lb_policy   = "projects/acme-prod/locations/global/serviceLbPolicies/prod"
    deletion_protection = false
    security = {
      waf_rules        = { sqli-v33-stable = { priority = 1000, sensitivity = 2, opt_out_rule_ids = ["owasp-crs-v030301-id942350-sqli"], exclude_uri_paths = ["/import"], preview = true } }
      rate_limits      = { tenant = { priority = 10000, requests = 100, key = "HTTP_HEADER", key_name = "X-Synapse-Tenant", expression = "request.path.startsWith('/api')", ban = { duration = 300 } } }
      denied_ip_ranges = [for i in range(12) : "198.51.100.${i}/32"]
    }
  }

  assert {
    condition     = google_compute_backend_service.this["orders"].service_lb_policy == "//networkservices.googleapis.com/projects/acme-prod/locations/global/serviceLbPolicies/prod"
    error_message = "The service load balancing policy is not attached."
  }

  assert {
    condition     = length([for rule in google_compute_security_policy.this.rule : rule if rule.priority == 1000 && rule.preview && try(rule.match[0].expr[0].expression, "") == "evaluatePreconfiguredWaf('sqli-v33-stable', {'opt_out_rule_ids':['owasp-crs-v030301-id942350-sqli'],'sensitivity':2})"]) == 1
    error_message = "The WAF rule is not as it was written."
  }

  assert {
    condition     = length([for rule in google_compute_security_policy.this.rule : rule if rule.action == "rate_based_ban" && try(rule.rate_limit_options[0].enforce_on_key_name == "X-Synapse-Tenant" && rule.rate_limit_options[0].ban_duration_sec == 300, false)]) == 1
    error_message = "The rate limit is not as it was written."
  }

  assert {
    condition     = length([for rule in google_compute_security_policy.this.rule : rule if rule.action == "deny(403)" && rule.priority < 1000]) == 2
    error_message = "Twelve denied ranges are not two rules."
  }

  assert {
    condition     = google_compute_global_address.this["ipv4"].deletion_policy == "DELETE"
    error_message = "The addresses stay protected."
  }
}

variable "project_id" {
  description = "ID of the project of the load balancer."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project_id))
    error_message = "\"${var.project_id}\" is not the ID of a project: write the ID, such as \"acme-prod\", not the number or the display name."
  }
}

variable "name" {
  description = "Prefix of the names of all resources: lower-case letters, digits and hyphens, at most 30 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$", var.name))
    error_message = "\"${var.name}\" cannot prefix names: write 1 to 30 lower-case letters, digits and hyphens, a letter first and no hyphen last, such as \"prod\"."
  }
}

variable "labels" {
  description = "Labels of all resources that have labels."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "deletion_protection" {
  description = "Refuses to delete the addresses and the forwarding rules. Set it to false, and apply, before a destroy."
  type        = bool
  default     = true
  nullable    = false
}

variable "network" {
  description = "The VPC network of the clusters, such as the output `network` of the module network. The network endpoint groups are made in it."
  type        = object({ id = string })
  nullable    = false
}

variable "regions" {
  description = <<-EOT
    The regions that serve, by name: the zones in which the cluster of the region has nodes, and its subnet. There is a network endpoint
    group for each service and zone. `neg_suffix` is appended to the names of the region's groups: change it together with the subnet,
    since a group cannot be moved and the new one is made before the old one is deleted.
  EOT
  type = map(object({
    zones      = set(string)
    subnet     = object({ id = string })
    neg_suffix = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.regions) > 0
    error_message = "regions is empty: write at least one, such as { europe-west1 = { zones = [\"europe-west1-b\"], subnet = { id = \"…\" } } }."
  }
  validation {
    condition     = alltrue([for region in keys(var.regions) : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])
    error_message = "These keys of regions are not names of regions: ${join(", ", [for region in keys(var.regions) : region if !can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])}. Write names such as \"europe-west1\"."
  }
  validation {
    condition     = alltrue(flatten([for region, r in var.regions : [length(r.zones) > 0, [for zone in r.zones : can(regex("^${region}-[a-z]$", zone))]]]))
    error_message = "Each region needs at least one zone, and only zones of its own; look at ${join(", ", [for region, r in var.regions : region if length(r.zones) == 0 || !alltrue([for zone in r.zones : can(regex("^${region}-[a-z]$", zone))])])}. Write zones such as \"europe-west1-b\" for europe-west1."
  }
  validation {
    condition     = alltrue([for r in values(var.regions) : r.neg_suffix == null || can(regex("^[a-z0-9]{1,6}$", r.neg_suffix))])
    error_message = "neg_suffix is 1 to 6 lower-case letters and digits, such as \"b\"; it is not in ${join(", ", [for region, r in var.regions : region if r.neg_suffix != null && !can(regex("^[a-z0-9]{1,6}$", r.neg_suffix))])}."
  }
}

variable "drained_regions" {
  description = "Regions that get no traffic: the capacity of their backends is 0. Requests under way are finished. The monolith is in no region and is not drained."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.drained_regions, keys(var.regions))) == 0
    error_message = "drained_regions names regions that are not in regions: ${join(", ", setsubtract(var.drained_regions, keys(var.regions)))}. Write some of ${join(", ", keys(var.regions))}."
  }
}

variable "services" {
  description = <<-EOT
    The services by name, each a backend service with the network endpoint groups of its regions.
    - `regions`: where it runs, by region; null is everywhere. `capacity` (0, or 0.1 to 1) scales the rate; `preferred` backends are filled
      first; `network_endpoint_groups` (ID by zone) are used instead of groups of this module.
    - `port`: port of the Kubernetes Service, for the output `neg_annotations`.
    - `protocol` to the pods: `HTTP`, `HTTPS`, `HTTP2` (with TLS) or `H2C`.
    - `max_rate_per_endpoint`: requests per second that a pod is good for; above it, traffic flows over to the next region.
    - `timeout`, `connection_draining`: seconds. `affinity_cookie_ttl`: seconds, 0 for a session cookie.
    - `health_check`: `protocol` is that of the service when null, `port` is that of the endpoint.
    - `outlier_detection`: takes single pods that answer with errors out of the rotation.
    - `log_sample_rate`: share of the requests that is logged, 0 to 1.
  EOT
  type = map(object({
    regions = optional(map(object({
      capacity                = optional(number, 1)
      max_rate_per_endpoint   = optional(number)
      preferred               = optional(bool, false)
      network_endpoint_groups = optional(map(string))
    })))
    port                    = optional(number, 80)
    protocol                = optional(string, "HTTP")
    max_rate_per_endpoint   = optional(number, 100)
    timeout                 = optional(number, 30)
    connection_draining     = optional(number, 60)
    locality_lb_policy      = optional(string, "ROUND_ROBIN")
    session_affinity        = optional(string, "NONE")
    affinity_cookie_ttl     = optional(number, 0)
    log_sample_rate         = optional(number, 1)
    custom_request_headers  = optional(list(string), [])
    custom_response_headers = optional(list(string), [])
    health_check = optional(object({
      protocol            = optional(string)
      path                = optional(string, "/healthz")
      port                = optional(number)
      host                = optional(string)
      interval            = optional(number, 5)
      timeout             = optional(number, 5)
      healthy_threshold   = optional(number, 2)
      unhealthy_threshold = optional(number, 2)
    }), {})
    outlier_detection = optional(object({
      enabled              = optional(bool, true)
      consecutive_errors   = optional(number, 5)
      interval             = optional(number, 10)
      base_ejection_time   = optional(number, 30)
      max_ejection_percent = optional(number, 50)
    }), {})
  }))
  nullable = false

  validation {
    condition     = length(var.services) > 0
    error_message = "services is empty: write at least one, such as { orders = {} }."
  }
  validation {
    condition     = alltrue([for name in keys(var.services) : can(regex("^[a-z]([-a-z0-9]{0,22}[a-z0-9])?$", name)) && name != "monolith"])
    error_message = "These cannot be names of services: ${join(", ", [for name in keys(var.services) : name if !can(regex("^[a-z]([-a-z0-9]{0,22}[a-z0-9])?$", name)) || name == "monolith"])}. Write 1 to 24 lower-case letters, digits and hyphens, such as \"orders\"; \"monolith\" is the name of what var.monolith describes."
  }
  validation {
    condition = alltrue([for service in values(var.services) :
      service.regions == null || try(length(service.regions) > 0 && length(setsubtract(keys(service.regions), keys(var.regions))) == 0, false)
    ])
    error_message = "The regions of a service are some of ${join(", ", keys(var.regions))}, at least one; look at ${join(", ", [for name, service in var.services : name if service.regions != null && !try(length(service.regions) > 0 && length(setsubtract(keys(service.regions), keys(var.regions))) == 0, false)])}. Leave regions out for all of them."
  }
  validation {
    condition = alltrue(flatten([for service in values(var.services) :
      [for region in values(coalesce(service.regions, {})) : region.capacity == 0 || (region.capacity >= 0.1 && region.capacity <= 1)]
    ]))
    error_message = "capacity is 0, or 0.1 to 1; write one of these instead of ${join(", ", flatten([for name, service in var.services : [for region, r in coalesce(service.regions, {}) : "${r.capacity} of ${name} in ${region}" if r.capacity != 0 && (r.capacity < 0.1 || r.capacity > 1)]]))}."
  }
  validation {
    condition = alltrue([for service in values(var.services) : anytrue([
      for region in try(keys(service.regions), keys(var.regions)) : !contains(var.drained_regions, region) && try(service.regions[region].capacity > 0, true)
    ])])
    error_message = "No region is left for ${join(", ", [for name, service in var.services : name if !anytrue([for region in try(keys(service.regions), keys(var.regions)) : !contains(var.drained_regions, region) && try(service.regions[region].capacity > 0, true)])])}: keep at least one of its regions out of drained_regions, with a capacity from 0.1 to 1."
  }
  validation {
    condition = alltrue(flatten([for service in values(var.services) : [
      service.max_rate_per_endpoint > 0, [for region in values(coalesce(service.regions, {})) : coalesce(region.max_rate_per_endpoint, 1) > 0]
    ]]))
    error_message = "max_rate_per_endpoint is in requests per second and above 0, such as 100."
  }
  validation {
    condition = alltrue(flatten([for service in values(var.services) : [for region, r in coalesce(service.regions, {}) :
      [for zone in keys(coalesce(r.network_endpoint_groups, {})) : can(regex("^${region}-[a-z]$", zone))]
    ]]))
    error_message = "The keys of network_endpoint_groups are zones of their region, such as { europe-west1-b = \"projects/…/zones/europe-west1-b/networkEndpointGroups/…\" } in europe-west1."
  }
  validation {
    condition     = alltrue([for service in values(var.services) : contains(["HTTP", "HTTPS", "HTTP2", "H2C"], service.protocol)])
    error_message = "protocol is HTTP, HTTPS, HTTP2 or H2C; write one of these instead of ${join(", ", [for name, service in var.services : "\"${service.protocol}\" of ${name}" if !contains(["HTTP", "HTTPS", "HTTP2", "H2C"], service.protocol)])}."
  }
  validation {
    condition     = alltrue([for service in values(var.services) : service.port >= 1 && service.port <= 65535 && floor(service.port) == service.port])
    error_message = "port is a whole number from 1 to 65535, such as 80."
  }
  validation {
    condition     = alltrue([for service in values(var.services) : service.timeout >= 1 && service.timeout <= 86400 && service.connection_draining >= 0 && service.connection_draining <= 3600])
    error_message = "timeout is 1 to 86400 seconds, and connection_draining 0 to 3600; look at ${join(", ", [for name, service in var.services : name if !(service.timeout >= 1 && service.timeout <= 86400 && service.connection_draining >= 0 && service.connection_draining <= 3600)])}."
  }
  validation {
    condition     = alltrue([for service in values(var.services) : contains(["ROUND_ROBIN", "LEAST_REQUEST", "RING_HASH", "RANDOM", "MAGLEV"], service.locality_lb_policy)])
    error_message = "locality_lb_policy is ROUND_ROBIN, LEAST_REQUEST, RING_HASH, RANDOM or MAGLEV; look at ${join(", ", [for name, service in var.services : name if !contains(["ROUND_ROBIN", "LEAST_REQUEST", "RING_HASH", "RANDOM", "MAGLEV"], service.locality_lb_policy)])}."
  }
  validation {
    condition = alltrue([for service in values(var.services) :
      contains(["NONE", "CLIENT_IP", "GENERATED_COOKIE"], service.session_affinity) &&
      service.affinity_cookie_ttl >= 0 && service.affinity_cookie_ttl <= 86400 && (service.affinity_cookie_ttl == 0 || service.session_affinity == "GENERATED_COOKIE")
    ])
    error_message = "session_affinity is NONE, CLIENT_IP or GENERATED_COOKIE, and only the last one has an affinity_cookie_ttl, 0 to 86400 seconds."
  }
  validation {
    condition     = alltrue([for service in values(var.services) : service.log_sample_rate >= 0 && service.log_sample_rate <= 1])
    error_message = "log_sample_rate is a share from 0 to 1, such as 0.1 for one request in ten; look at ${join(", ", [for name, service in var.services : name if service.log_sample_rate < 0 || service.log_sample_rate > 1])}."
  }
  validation {
    condition = alltrue(flatten([for service in values(var.services) :
      [for header in concat(service.custom_request_headers, service.custom_response_headers) : can(regex("^[A-Za-z0-9-]+: ?\\S", header))]
    ]))
    error_message = "Custom headers are written \"Name: value\", such as \"X-Frame-Options: DENY\"."
  }
  validation {
    condition = alltrue([for service in values(var.services) :
      startswith(service.health_check.path, "/") && service.health_check.timeout >= 1 && service.health_check.timeout <= service.health_check.interval && service.health_check.interval <= 300 &&
      contains(["HTTP", "HTTPS", "HTTP2"], coalesce(service.health_check.protocol, "HTTP"))
    ])
    error_message = "A health check has a path that begins with \"/\", a timeout of at least 1 second and at most its interval, which is at most 300, and the protocol HTTP, HTTPS or HTTP2; look at ${join(", ", [for name, service in var.services : name if !(startswith(service.health_check.path, "/") && service.health_check.timeout >= 1 && service.health_check.timeout <= service.health_check.interval && service.health_check.interval <= 300 && contains(["HTTP", "HTTPS", "HTTP2"], coalesce(service.health_check.protocol, "HTTP")))])}."
  }
  validation {
    condition     = alltrue([for service in values(var.services) : service.health_check.healthy_threshold >= 1 && service.health_check.healthy_threshold <= 10 && service.health_check.unhealthy_threshold >= 1 && service.health_check.unhealthy_threshold <= 10])
    error_message = "healthy_threshold and unhealthy_threshold are 1 to 10 probes, such as 2."
  }
  validation {
    condition = alltrue([for service in values(var.services) :
      service.outlier_detection.consecutive_errors >= 1 && service.outlier_detection.interval >= 1 && service.outlier_detection.base_ejection_time >= 1 &&
      service.outlier_detection.max_ejection_percent >= 1 && service.outlier_detection.max_ejection_percent <= 100
    ])
    error_message = "outlier_detection counts at least 1 error, has an interval and a base_ejection_time of at least 1 second, and a max_ejection_percent from 1 to 100; write enabled = false to have none."
  }
}

variable "monolith" {
  description = <<-EOT
    The legacy monolith, outside of Google Cloud, known to routes as `monolith`; null when there is none any more. Exactly one of:
    - `hybrid`: reached over Interconnect or VPN, by address. Each endpoint belongs to the zone that is nearest to it.
    - `internet`: reached over the internet, by name. It has no health check and no outlier detection: Google offers none for it.
      `host_header` replaces the host that the client asked for.
  EOT
  type = object({
    hybrid = optional(object({
      endpoints = map(object({
        ip_address = string
        port       = number
        zone       = string
      }))
      max_rate_per_endpoint = optional(number, 100)
      health_check = optional(object({
        protocol            = optional(string)
        path                = optional(string, "/healthz")
        port                = optional(number)
        host                = optional(string)
        interval            = optional(number, 5)
        timeout             = optional(number, 5)
        healthy_threshold   = optional(number, 2)
        unhealthy_threshold = optional(number, 2)
      }), {})
    }))
    internet = optional(object({
      fqdn        = string
      port        = optional(number, 443)
      host_header = optional(string)
    }))
    protocol                = optional(string, "HTTPS")
    timeout                 = optional(number, 30)
    connection_draining     = optional(number, 60)
    log_sample_rate         = optional(number, 1)
    custom_request_headers  = optional(list(string), [])
    custom_response_headers = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.monolith == null || (try(var.monolith.hybrid, null) == null) != (try(var.monolith.internet, null) == null)
    error_message = "monolith has ${try(var.monolith.hybrid, null) == null ? "neither" : "both"} hybrid ${try(var.monolith.hybrid, null) == null ? "nor" : "and"} internet: write exactly one of them, hybrid for a monolith behind Interconnect or VPN, internet for one with a public name."
  }
  validation {
    condition     = try(var.monolith.hybrid, null) == null || try(length(var.monolith.hybrid.endpoints) > 0, true)
    error_message = "monolith.hybrid.endpoints is empty: write at least one, such as { a = { ip_address = \"10.200.0.10\", port = 443, zone = \"europe-west1-b\" } }."
  }
  validation {
    condition = alltrue([for e in values(try(var.monolith.hybrid.endpoints, {})) :
      can(cidrnetmask("${e.ip_address}/32")) && e.port >= 1 && e.port <= 65535 && floor(e.port) == e.port && can(regex("^[a-z]+-[a-z]+[0-9]+-[a-z]$", e.zone))
    ])
    error_message = "An endpoint of the monolith is an IPv4 address, a port and a zone; look at ${join(", ", [for name, e in try(var.monolith.hybrid.endpoints, {}) : name if !(can(cidrnetmask("${e.ip_address}/32")) && e.port >= 1 && e.port <= 65535 && can(regex("^[a-z]+-[a-z]+[0-9]+-[a-z]$", e.zone)))])}. Write such as { ip_address = \"10.200.0.10\", port = 443, zone = \"europe-west1-b\" }."
  }
  validation {
    condition     = length(distinct([for e in values(try(var.monolith.hybrid.endpoints, {})) : "${e.zone} ${e.ip_address}:${e.port}"])) == length(try(var.monolith.hybrid.endpoints, {}))
    error_message = "Endpoints of the monolith are listed twice: ${join(", ", distinct([for e in values(try(var.monolith.hybrid.endpoints, {})) : "${e.ip_address}:${e.port} in ${e.zone}" if length([for o in values(try(var.monolith.hybrid.endpoints, {})) : o if o == e]) > 1]))}. Write each once."
  }
  validation {
    condition     = try(var.monolith.internet, null) == null || can(regex("^([a-z0-9]([-a-z0-9]*[a-z0-9])?\\.)+[a-z]{2,}$", var.monolith.internet.fqdn)) && try(var.monolith.internet.port >= 1 && var.monolith.internet.port <= 65535, true)
    error_message = "monolith.internet is a name without a trailing dot and a port, such as { fqdn = \"legacy.example.com\", port = 443 }."
  }
  validation {
    condition     = !contains(var.domains, try(var.monolith.internet.fqdn, ""))
    error_message = "monolith.internet.fqdn, ${try(var.monolith.internet.fqdn, "")}, is one of domains, so that the load balancer would ask itself: write a name that leads to the monolith only, such as origin.example.com, and the public name as host_header."
  }
  validation {
    condition     = var.monolith == null || contains(["HTTP", "HTTPS", "HTTP2"], try(var.monolith.protocol, "HTTP"))
    error_message = "monolith.protocol is HTTP, HTTPS or HTTP2, not \"${try(var.monolith.protocol, "")}\"."
  }
  validation {
    condition = alltrue([
      try(var.monolith.timeout >= 1 && var.monolith.timeout <= 86400, true), try(var.monolith.connection_draining >= 0 && var.monolith.connection_draining <= 3600, true),
      try(var.monolith.log_sample_rate >= 0 && var.monolith.log_sample_rate <= 1, true), try(var.monolith.hybrid.max_rate_per_endpoint > 0, true),
    ])
    error_message = "For the monolith: timeout is 1 to 86400 seconds, connection_draining 0 to 3600, log_sample_rate 0 to 1, and max_rate_per_endpoint above 0."
  }
  validation {
    condition     = alltrue([for header in concat(try(var.monolith.custom_request_headers, []), try(var.monolith.custom_response_headers, [])) : can(regex("^[A-Za-z0-9-]+: ?\\S", header))])
    error_message = "Custom headers of the monolith are written \"Name: value\", such as \"X-Origin: legacy\"."
  }
  validation {
    condition = alltrue([
      try(startswith(var.monolith.hybrid.health_check.path, "/"), true),
      try(var.monolith.hybrid.health_check.timeout >= 1 && var.monolith.hybrid.health_check.timeout <= var.monolith.hybrid.health_check.interval && var.monolith.hybrid.health_check.interval <= 300, true),
      contains(["HTTP", "HTTPS", "HTTP2"], try(coalesce(var.monolith.hybrid.health_check.protocol, "HTTP"), "HTTP")),
    ])
    error_message = "The health check of the monolith has a path that begins with \"/\", a timeout of at least 1 second and at most its interval, which is at most 300, and the protocol HTTP, HTTPS or HTTP2."
  }
}

variable "domains" {
  description = "Host names that are served, each with a managed certificate. `*.example.com` serves all names one level below example.com. Requests for other hosts are redirected to the first name that is no wildcard."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.domains) > 0
    error_message = "domains is empty: write at least one, such as [\"app.example.com\"], since HTTPS needs a certificate."
  }
  validation {
    condition     = alltrue([for domain in var.domains : can(regex("^(\\*\\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", domain)) && length(domain) <= 253])
    error_message = "These are not domains: ${join(", ", [for domain in var.domains : "\"${domain}\"" if !can(regex("^(\\*\\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", domain)) || length(domain) > 253])}. Write lower-case names without a scheme and without a trailing dot, such as \"app.example.com\" or \"*.example.com\"."
  }
  validation {
    condition     = length(var.domains) == 0 || anytrue([for domain in var.domains : !startswith(domain, "*.")])
    error_message = "domains has wildcards only, ${join(", ", var.domains)}: add a name, such as \"${try(trimprefix(tolist(var.domains)[0], "*."), "example.com")}\", to which requests for unknown hosts are redirected."
  }
}

variable "default_backend" {
  description = "Who serves the requests that no route matches: the name of a service, or `monolith`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(concat(keys(var.services), var.monolith == null ? [] : ["monolith"]), var.default_backend)
    error_message = "default_backend \"${var.default_backend}\" is no backend: write one of ${join(", ", concat(keys(var.services), var.monolith == null ? [] : ["monolith"]))}."
  }
}

variable "routes" {
  description = <<-EOT
    Routes by name; the one with the lowest `priority` that matches decides.
    - A route matches when one of `paths` (whole) or `path_prefixes` matches, or there are none, and all of `headers` and `cookies` match.
      A header matches by exactly one of `exact`, `prefix`, `suffix`, `regex` (RE2, the whole value) and `present`; `invert` negates it.
      `:authority` and `:method` are headers, too. A cookie matches by a regular expression for its value.
    - `backends`: percent of the requests by service, 100 in sum. Terraform owns these weights; see "Who moves the weights" in the README.
    - `mirror`: a backend that gets a copy of every request, and whose answers are thrown away.
    - `retries`: attempts in all on `conditions`, each `per_try_timeout` seconds at most. `timeout`: seconds, instead of the service's.
  EOT
  type = map(object({
    priority      = number
    paths         = optional(set(string), [])
    path_prefixes = optional(set(string), [])
    headers = optional(map(object({
      exact   = optional(string)
      prefix  = optional(string)
      suffix  = optional(string)
      regex   = optional(string)
      present = optional(bool)
      invert  = optional(bool, false)
    })), {})
    cookies        = optional(map(string), {})
    backends       = map(number)
    prefix_rewrite = optional(string)
    host_rewrite   = optional(string)
    timeout        = optional(number)
    mirror         = optional(string)
    retries = optional(object({
      attempts        = optional(number, 1)
      per_try_timeout = optional(number, 5)
      conditions      = optional(set(string), ["connect-failure", "refused-stream", "gateway-error"])
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.routes) : can(regex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", name))])
    error_message = "Names of routes are lower-case letters, digits and hyphens, such as \"login-canary\"."
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : route.priority >= 0 && route.priority <= 2147483647 && floor(route.priority) == route.priority])
    error_message = "priority is a whole number from 0 to 2147483647, such as 100."
  }
  validation {
    condition     = length(distinct([for route in values(var.routes) : route.priority])) == length(var.routes)
    error_message = "Routes share a priority: ${join(", ", [for name, route in var.routes : "${name} has ${route.priority}" if length([for other in values(var.routes) : other if other.priority == route.priority]) > 1])}. Give each route its own."
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : length(route.paths) + length(route.path_prefixes) + length(route.headers) + length(route.cookies) > 0])
    error_message = "These routes match everything: ${join(", ", [for name, route in var.routes : name if length(route.paths) + length(route.path_prefixes) + length(route.headers) + length(route.cookies) == 0])}. Write paths, path_prefixes, headers or cookies, such as path_prefixes = [\"/\"] to mean it."
  }
  validation {
    condition     = alltrue(flatten([for route in values(var.routes) : [for path in setunion(route.paths, route.path_prefixes) : can(regex("^/[^?#]*$", path))]]))
    error_message = "Paths begin with \"/\" and have no query: write such as \"/login\" instead of ${join(", ", flatten([for route in values(var.routes) : [for path in setunion(route.paths, route.path_prefixes) : "\"${path}\"" if !can(regex("^/[^?#]*$", path))]]))}."
  }
  validation {
    condition = alltrue(flatten([for route in values(var.routes) : [for h in values(route.headers) :
      length([for given in [h.exact, h.prefix, h.suffix, h.regex, h.present == null ? null : "present"] : given if given != null]) == 1
    ]]))
    error_message = "A header matches by exactly one of exact, prefix, suffix, regex and present; look at ${join(", ", flatten([for name, route in var.routes : [for header, h in route.headers : "${header} of ${name}" if length([for given in [h.exact, h.prefix, h.suffix, h.regex, h.present == null ? null : "present"] : given if given != null]) != 1]]))}."
  }
  validation {
    condition = alltrue(flatten([for route in values(var.routes) : [
      [for name in keys(route.headers) : can(regex("^:?[A-Za-z0-9-]+$", name)) && (lower(name) != "cookie" || length(route.cookies) == 0)],
      [for name, value in route.cookies : can(regex("^[A-Za-z0-9_-]+$", name)) && value != ""],
    ]]))
    error_message = "Names of headers and cookies are letters, digits and hyphens, cookies have a regular expression that is not empty, and the header \"cookie\" is not matched beside cookies: write it as one of cookies."
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : length(setsubtract(keys(route.backends), concat(keys(var.services), var.monolith == null ? [] : ["monolith"]))) == 0])
    error_message = "Routes lead to unknown backends: ${join(", ", flatten([for name, route in var.routes : [for backend in keys(route.backends) : "${backend} in ${name}" if !contains(concat(keys(var.services), var.monolith == null ? [] : ["monolith"]), backend)]]))}. Write some of ${join(", ", concat(keys(var.services), var.monolith == null ? [] : ["monolith"]))}."
  }
  validation {
    condition     = alltrue(flatten([for route in values(var.routes) : [for weight in values(route.backends) : weight >= 0 && weight <= 100 && floor(weight) == weight]]))
    error_message = "Weights are whole percents from 0 to 100; look at ${join(", ", flatten([for name, route in var.routes : [for backend, weight in route.backends : "${backend} = ${weight} in ${name}" if !(weight >= 0 && weight <= 100 && floor(weight) == weight)]]))}."
  }
  validation {
    condition = alltrue([for route in values(var.routes) : sum(concat([0], values(route.backends))) == 100])
    error_message = join(" ", [for name, route in var.routes : length(route.backends) == 0
      ? "Route ${name} has no backends: write such as { ${var.default_backend} = 100 }."
      : "The weights of route ${name}, ${join(", ", [for backend, weight in route.backends : "${backend} = ${weight}"])}, are ${sum(concat([0], values(route.backends)))} in sum, not 100: write ${
        sum(concat([0], slice(values(route.backends), 1, length(route.backends)))) <= 100
        ? "${keys(route.backends)[0]} = ${100 - sum(concat([0], slice(values(route.backends), 1, length(route.backends))))}"
        : "smaller weights"
      }, or move the difference between others."
      if sum(concat([0], values(route.backends))) != 100
    ])
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : contains(concat(keys(var.services), var.monolith == null ? [] : ["monolith"]), coalesce(route.mirror, var.default_backend))])
    error_message = "Requests are mirrored to unknown backends: ${join(", ", [for name, route in var.routes : "${coalesce(route.mirror, "-")} in ${name}" if !contains(concat(keys(var.services), var.monolith == null ? [] : ["monolith"]), coalesce(route.mirror, var.default_backend))])}. Write one of ${join(", ", concat(keys(var.services), var.monolith == null ? [] : ["monolith"]))}."
  }
  validation {
    condition = alltrue([for route in values(var.routes) :
      route.mirror == null || try(var.monolith.internet, null) == null || !contains(concat(keys(route.backends), [coalesce(route.mirror, "-")]), "monolith")
    ])
    error_message = "Google mirrors neither from nor to an internet endpoint, and the monolith is one: leave out the mirror of ${join(", ", [for name, route in var.routes : name if route.mirror != null && contains(concat(keys(route.backends), [coalesce(route.mirror, "-")]), "monolith")])}, or reach the monolith as hybrid."
  }
  validation {
    condition     = alltrue([for route in values(var.routes) : try(coalesce(route.timeout, 1) >= 1 && coalesce(route.timeout, 1) <= 86400, false) && try(startswith(route.prefix_rewrite, "/"), route.prefix_rewrite == null)])
    error_message = "A route's timeout is 1 to 86400 seconds, and its prefix_rewrite begins with \"/\"."
  }
  validation {
    condition = alltrue([for route in values(var.routes) : route.retries == null || try(
      route.retries.attempts >= 1 && route.retries.attempts <= 10 && route.retries.per_try_timeout >= 1 && length(setsubtract(route.retries.conditions,
      ["5xx", "gateway-error", "connect-failure", "retriable-4xx", "refused-stream", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"])) == 0 && length(route.retries.conditions) > 0, false)
    ])
    error_message = "retries are 1 to 10 attempts of at least 1 second on some of 5xx, gateway-error, connect-failure, retriable-4xx, refused-stream, cancelled, deadline-exceeded, internal, resource-exhausted and unavailable."
  }
}

variable "security" {
  description = <<-EOT
    The Cloud Armor policy of all backends.
    - `waf_rules`: preconfigured rule sets by name, with `priority` 1000 to 9999. `preview` only logs what would be denied.
    - `rate_limits`: by name, with `priority` from 10000 on: a request within its limit is allowed at once, so that the WAF has to come
      first. `key` says who is counted: `IP`, `XFF_IP`, `HTTP_HEADER` and `HTTP_COOKIE` (with `key_name`), `REGION_CODE`, … or `ALL`.
      `expression` (CEL) says which requests; null is all. With `ban` the key is refused for `duration` seconds.
    - `denied_ip_ranges`: CIDR ranges that are refused before all else.
    - `adaptive_protection`: alerts for attacks on layer 7, with a rule to deploy.
  EOT
  type = object({
    waf_rules = optional(map(object({
      priority          = number
      sensitivity       = optional(number, 1)
      preview           = optional(bool, false)
      opt_out_rule_ids  = optional(set(string), [])
      response_code     = optional(number, 403)
      exclude_uri_paths = optional(set(string), [])
      })), {
      sqli-v33-stable              = { priority = 1000 }
      xss-v33-stable               = { priority = 1100 }
      lfi-v33-stable               = { priority = 1200 }
      rfi-v33-stable               = { priority = 1300 }
      rce-v33-stable               = { priority = 1400 }
      methodenforcement-v33-stable = { priority = 1500 }
      scannerdetection-v33-stable  = { priority = 1600 }
      protocolattack-v33-stable    = { priority = 1700 }
      sessionfixation-v33-stable   = { priority = 1800 }
      cve-canary                   = { priority = 1900 }
    })
    rate_limits = optional(map(object({
      priority   = number
      requests   = number
      interval   = optional(number, 60)
      key        = optional(string, "IP")
      key_name   = optional(string)
      expression = optional(string)
      preview    = optional(bool, false)
      ban        = optional(object({ duration = number }))
    })), { default = { priority = 20000, requests = 6000 } })
    denied_ip_ranges    = optional(set(string), [])
    adaptive_protection = optional(bool, true)
    verbose_logging     = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for rule in values(var.security.waf_rules) : rule.priority >= 1000 && rule.priority <= 9999 && floor(rule.priority) == rule.priority])
    error_message = "Priorities of WAF rules are whole numbers from 1000 to 9999, so that they come before the rate limits; look at ${join(", ", [for name, rule in var.security.waf_rules : "${name} = ${rule.priority}" if rule.priority < 1000 || rule.priority > 9999])}."
  }
  validation {
    condition     = alltrue([for rule in values(var.security.rate_limits) : rule.priority >= 10000 && rule.priority <= 2147483646 && floor(rule.priority) == rule.priority])
    error_message = "Priorities of rate limits are whole numbers from 10000 to 2147483646, since a request within its limit is allowed at once and would get around the WAF; look at ${join(", ", [for name, rule in var.security.rate_limits : "${name} = ${rule.priority}" if rule.priority < 10000 || rule.priority > 2147483646])}."
  }
  validation {
    condition     = length(distinct(concat(values(var.security.waf_rules)[*].priority, values(var.security.rate_limits)[*].priority))) == length(var.security.waf_rules) + length(var.security.rate_limits)
    error_message = "WAF rules or rate limits share a priority: give each its own."
  }
  validation {
    condition     = alltrue([for name, rule in var.security.waf_rules : can(regex("^[a-z0-9-]+(-stable|-canary)$", name)) && rule.sensitivity >= 0 && rule.sensitivity <= 4 && floor(rule.sensitivity) == rule.sensitivity && contains([403, 404, 502], rule.response_code)])
    error_message = "WAF rules are named as Google's rule sets, such as sqli-v33-stable, with a sensitivity from 0 to 4 and the response_code 403, 404 or 502; look at ${join(", ", [for name, rule in var.security.waf_rules : name if !(can(regex("^[a-z0-9-]+(-stable|-canary)$", name)) && rule.sensitivity >= 0 && rule.sensitivity <= 4 && contains([403, 404, 502], rule.response_code))])}."
  }
  validation {
    condition     = alltrue([for rule in values(var.security.rate_limits) : rule.requests >= 1 && contains([10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600], rule.interval) && try(rule.ban.duration >= 60, true)])
    error_message = "A rate limit is at least 1 request in 10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700 or 3600 seconds, and a ban lasts at least 60 seconds."
  }
  validation {
    condition = alltrue([for rule in values(var.security.rate_limits) :
      contains(["ALL", "IP", "XFF_IP", "HTTP_HEADER", "HTTP_COOKIE", "HTTP_PATH", "SNI", "REGION_CODE", "TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT", "USER_IP"], rule.key) &&
      contains(["HTTP_HEADER", "HTTP_COOKIE"], rule.key) == (rule.key_name != null)
    ])
    error_message = "The key of a rate limit is ALL, IP, XFF_IP, HTTP_HEADER, HTTP_COOKIE, HTTP_PATH, SNI, REGION_CODE, TLS_JA3_FINGERPRINT, TLS_JA4_FINGERPRINT or USER_IP; HTTP_HEADER and HTTP_COOKIE need a key_name, and no other has one."
  }
  validation {
    condition     = alltrue([for range in var.security.denied_ip_ranges : can(cidrhost(range, 0))])
    error_message = "denied_ip_ranges are CIDR ranges such as \"203.0.113.0/24\", unlike ${join(", ", [for range in var.security.denied_ip_ranges : "\"${range}\"" if !can(cidrhost(range, 0))])}."
  }
}

variable "tls" {
  description = "The TLS policy of the front: `profile` is MODERN or RESTRICTED, `min_version` TLS_1_2 or TLS_1_3 (which needs RESTRICTED)."
  type = object({
    profile     = optional(string, "MODERN")
    min_version = optional(string, "TLS_1_2")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["MODERN", "RESTRICTED"], var.tls.profile) && contains(["TLS_1_2", "TLS_1_3"], var.tls.min_version)
    error_message = "tls is the profile MODERN or RESTRICTED with min_version TLS_1_2 or TLS_1_3, not ${var.tls.profile} with ${var.tls.min_version}: older ones are not safe."
  }
  validation {
    condition     = var.tls.min_version != "TLS_1_3" || var.tls.profile == "RESTRICTED"
    error_message = "min_version TLS_1_3 needs the profile RESTRICTED: write { profile = \"RESTRICTED\", min_version = \"TLS_1_3\" }."
  }
}

variable "service_lb_policy" {
  description = "ID of a service load balancing policy (automatic capacity drain, failover threshold) for the backends of all services; null is Google's defaults. The GA provider cannot make one: see the README."
  type        = string
  default     = null

  validation {
    condition     = var.service_lb_policy == null || can(regex("^projects/[^/]+/locations/global/serviceLbPolicies/[^/]+$", var.service_lb_policy))
    error_message = "service_lb_policy \"${coalesce(var.service_lb_policy, "-")}\" is not the ID of a policy: write \"projects/<project>/locations/global/serviceLbPolicies/<name>\"."
  }
}

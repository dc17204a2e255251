variable "project_id" {
  description = "ID of the project of the zones."
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
  description = "Labels of all zones."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "zones" {
  description = <<-EOT
    Zones by name.
    - `dns_name`: the domain, with the dot at its end.
    - `visibility`: `public`, or `private` to the VPC networks whose IDs are in `networks`.
    - `dnssec`: signs the zone; null is on for public zones. Private zones have none.
    - `query_logging`: of public zones. Queries to private zones are logged by a DNS server policy of the network.
    - `forwarding_targets` (IPv4 addresses of name servers) or `peering_network` (ID of a VPC network) answer instead of records, in private
      zones.
    - `deletion_protection`: refuses to delete the zone. `force_destroy` deletes records with the zone that Terraform did not make.
  EOT
  type = map(object({
    dns_name            = string
    visibility          = optional(string, "public")
    description         = optional(string)
    networks            = optional(list(string), [])
    dnssec              = optional(bool)
    query_logging       = optional(bool, true)
    forwarding_targets  = optional(set(string), [])
    peering_network     = optional(string)
    deletion_protection = optional(bool, true)
    force_destroy       = optional(bool, false)
  }))
  nullable = false

  validation {
    condition     = length(var.zones) > 0
    error_message = "zones is empty: write at least one, such as { public = { dns_name = \"example.com.\" } }."
  }
  validation {
    condition     = alltrue([for name in keys(var.zones) : can(regex("^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$", name))])
    error_message = "These cannot be names of zones: ${join(", ", [for name in keys(var.zones) : name if !can(regex("^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$", name))])}. Write 1 to 32 lower-case letters, digits and hyphens, such as \"public\"; the domain is dns_name."
  }
  validation {
    condition     = alltrue([for zone in values(var.zones) : endswith(zone.dns_name, ".")])
    error_message = "dns_name ends with a dot: write ${join(", ", [for name, zone in var.zones : "\"${zone.dns_name}.\" for ${name}" if !endswith(zone.dns_name, ".")])}."
  }
  validation {
    condition     = alltrue([for zone in values(var.zones) : can(regex("^([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9])?\\.)+$", "${trimsuffix(zone.dns_name, ".")}.")) && length(zone.dns_name) <= 253])
    error_message = "These are not domains: ${join(", ", [for zone in values(var.zones) : "\"${zone.dns_name}\"" if !can(regex("^([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9])?\\.)+$", "${trimsuffix(zone.dns_name, ".")}.")) || length(zone.dns_name) > 253])}. Write lower-case labels with dots between them and at the end, such as \"example.com.\"."
  }
  validation {
    condition     = alltrue([for zone in values(var.zones) : contains(["public", "private"], zone.visibility)])
    error_message = "visibility is public or private; look at ${join(", ", [for name, zone in var.zones : name if !contains(["public", "private"], zone.visibility)])}."
  }
  validation {
    condition     = alltrue([for zone in values(var.zones) : (zone.visibility == "private") == (length(zone.networks) > 0)])
    error_message = "A private zone has networks that see it, and a public one has none; look at ${join(", ", [for name, zone in var.zones : name if(zone.visibility == "private") != (length(zone.networks) > 0)])}. Write such as { visibility = \"private\", networks = [\"projects/acme-prod/global/networks/prod\"] }."
  }
  validation {
    condition     = length(distinct([for zone in values(var.zones) : zone.dns_name if zone.visibility == "public"])) == length([for zone in values(var.zones) : zone if zone.visibility == "public"])
    error_message = "Public zones have the same dns_name: ${join(", ", [for name, zone in var.zones : "${name} (${zone.dns_name})" if zone.visibility == "public" && length([for other in values(var.zones) : other if other.visibility == "public" && other.dns_name == zone.dns_name]) > 1])}. Resolvers ask one of them only: write one zone, with the records of both."
  }
  validation {
    condition = alltrue(flatten([for name, zone in var.zones : [for other_name, other in var.zones :
      name == other_name || zone.visibility != "private" || other.visibility != "private" || zone.dns_name != other.dns_name || length(setintersection(zone.networks, other.networks)) == 0
    ]]))
    error_message = "Private zones with the same dns_name are seen by the same network: ${join(", ", [for name, zone in var.zones : "${name} (${zone.dns_name})" if anytrue([for other_name, other in var.zones : other_name != name && zone.visibility == "private" && other.visibility == "private" && other.dns_name == zone.dns_name && length(setintersection(zone.networks, other.networks)) > 0])])}. Write one zone, or other networks."
  }
  validation {
    condition     = alltrue([for zone in values(var.zones) : zone.visibility == "public" || !coalesce(zone.dnssec, false)])
    error_message = "Private zones cannot be signed: leave dnssec out of ${join(", ", [for name, zone in var.zones : name if zone.visibility != "public" && coalesce(zone.dnssec, false)])}."
  }
  validation {
    condition = alltrue([for zone in values(var.zones) :
      (zone.visibility == "private" || (length(zone.forwarding_targets) == 0 && zone.peering_network == null)) && (length(zone.forwarding_targets) == 0 || zone.peering_network == null)
    ])
    error_message = "Only private zones have forwarding_targets or a peering_network, and not both; look at ${join(", ", [for name, zone in var.zones : name if length(zone.forwarding_targets) > 0 || zone.peering_network != null])}."
  }
  validation {
    condition     = alltrue(flatten([for zone in values(var.zones) : [for target in zone.forwarding_targets : can(cidrnetmask("${target}/32"))]]))
    error_message = "forwarding_targets are IPv4 addresses, such as \"10.200.0.53\"; look at ${join(", ", flatten([for zone in values(var.zones) : [for target in zone.forwarding_targets : "\"${target}\"" if !can(cidrnetmask("${target}/32"))]]))}."
  }
}

variable "health_checks" {
  description = <<-EOT
    Health checks of external endpoints, by name. Google probes from the three `source_regions`, at most every 30 seconds. `protocol` is
    `HTTP`, `HTTPS` or `TCP`.
  EOT
  type = map(object({
    protocol            = optional(string, "HTTPS")
    port                = optional(number, 443)
    path                = optional(string, "/healthz")
    host                = optional(string)
    source_regions      = list(string)
    interval            = optional(number, 30)
    timeout             = optional(number, 5)
    healthy_threshold   = optional(number, 2)
    unhealthy_threshold = optional(number, 2)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.health_checks) : can(regex("^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$", name))])
    error_message = "Names of health checks are 1 to 32 lower-case letters, digits and hyphens, such as \"front\"."
  }
  validation {
    condition     = alltrue([for check in values(var.health_checks) : length(distinct(check.source_regions)) == 3 && length(check.source_regions) == 3])
    error_message = "source_regions are exactly three different regions, such as [\"us-east1\", \"europe-west1\", \"asia-east1\"]; look at ${join(", ", [for name, check in var.health_checks : name if length(distinct(check.source_regions)) != 3 || length(check.source_regions) != 3])}."
  }
  validation {
    condition     = alltrue([for check in values(var.health_checks) : contains(["HTTP", "HTTPS", "TCP"], check.protocol)])
    error_message = "The protocol of a health check of external endpoints is HTTP, HTTPS or TCP; look at ${join(", ", [for name, check in var.health_checks : name if !contains(["HTTP", "HTTPS", "TCP"], check.protocol)])}."
  }
  validation {
    condition     = alltrue([for check in values(var.health_checks) : check.interval >= 30 && check.interval <= 300 && check.timeout >= 1 && check.timeout <= check.interval])
    error_message = "A health check of external endpoints has an interval from 30 to 300 seconds and a timeout of at least 1 second and at most the interval; look at ${join(", ", [for name, check in var.health_checks : name if !(check.interval >= 30 && check.interval <= 300 && check.timeout >= 1 && check.timeout <= check.interval)])}."
  }
  validation {
    condition     = alltrue([for check in values(var.health_checks) : check.port >= 1 && check.port <= 65535 && floor(check.port) == check.port && startswith(check.path, "/")])
    error_message = "A health check has a port from 1 to 65535 and a path that begins with \"/\"; look at ${join(", ", [for name, check in var.health_checks : name if !(check.port >= 1 && check.port <= 65535 && startswith(check.path, "/"))])}."
  }
  validation {
    condition     = alltrue([for check in values(var.health_checks) : check.healthy_threshold >= 1 && check.healthy_threshold <= 10 && check.unhealthy_threshold >= 1 && check.unhealthy_threshold <= 10])
    error_message = "healthy_threshold and unhealthy_threshold are 1 to 10 probes, such as 2."
  }
}

variable "authorizations" {
  description = <<-EOT
    Records that prove to Certificate Manager that a domain is yours, by any key that is known at plan, such as the output
    `dns_authorizations` of the module global-load-balancer. They are apart from `records` because Google makes up their names: among
    the others they would keep names from being checked before an apply.
  EOT
  type = map(object({
    zone = string
    name = string
    type = optional(string, "CNAME")
    data = string
    ttl  = optional(number, 300)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for authorization in values(var.authorizations) : try(var.zones[authorization.zone].visibility, "") == "public"])
    error_message = "Authorizations are in public zones, since Google has to see them; look at ${join(", ", [for key, authorization in var.authorizations : "${key} in ${authorization.zone}" if try(var.zones[authorization.zone].visibility, "") != "public"])}. Write one of ${join(", ", [for name, zone in var.zones : name if zone.visibility == "public"])}."
  }
  validation {
    condition     = alltrue([for authorization in values(var.authorizations) : endswith(authorization.name, ".${try(var.zones[authorization.zone].dns_name, "")}")])
    error_message = "Authorizations are not in the domain of their zone: ${join(", ", [for key, authorization in var.authorizations : "${key} (${authorization.name}) in ${authorization.zone}" if !endswith(authorization.name, ".${try(var.zones[authorization.zone].dns_name, "")}")])}. Write the zone of the domain that is to be authorized."
  }
}

variable "records" {
  description = <<-EOT
    Record sets, by any key that is known at plan, so that their data may come from resources that do not exist yet, such as the output
    `dns_records` of the module global-load-balancer. `zone` is a key of `zones`; `name` is complete, with the dot at its end.
    Either `rrdatas`, or `routing` with a `policy`:
    - `wrr`: each of `answers`, by any key, is given in proportion to its `weight`; with health checks, what is unhealthy gets none.
    - `geo`: the nearest of `answers`, by region, is given; with `geo_fencing` also when it is unhealthy.
    - `primary_backup`: `primary` is given while any of it is healthy, then the nearest of `answers`, by region. `trickle_ratio` (0 to 1)
      of the queries gets the backup all the time, to know that it works.
    An answer is exactly one of `rrdatas`, `external_endpoints` (addresses that `health_check`, a key of `health_checks`, probes; public
    zones) and `internal_load_balancers` (which have health checks of their own; private zones).
    `deletion_protection` refuses to delete the record set.
  EOT
  type = map(object({
    zone                = string
    name                = string
    type                = string
    ttl                 = optional(number, 300)
    rrdatas             = optional(list(string))
    deletion_protection = optional(bool, false)
    routing = optional(object({
      policy        = string
      health_check  = optional(string)
      geo_fencing   = optional(bool, false)
      trickle_ratio = optional(number, 0)
      answers = map(object({
        weight             = optional(number)
        rrdatas            = optional(list(string), [])
        external_endpoints = optional(list(string), [])
        internal_load_balancers = optional(map(object({
          type       = string
          ip_address = string
          port       = number
          network    = string
          protocol   = optional(string, "tcp")
          region     = optional(string)
          project_id = optional(string)
        })), {})
      }))
      primary = optional(object({
        external_endpoints = optional(list(string), [])
        internal_load_balancers = optional(map(object({
          type       = string
          ip_address = string
          port       = number
          network    = string
          protocol   = optional(string, "tcp")
          region     = optional(string)
          project_id = optional(string)
        })), {})
      }))
    }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for record in values(var.records) : contains(keys(var.zones), record.zone)])
    error_message = "Records are in zones that are not in zones: ${join(", ", [for key, record in var.records : "${key} in ${record.zone}" if !contains(keys(var.zones), record.zone)])}. Write one of ${join(", ", keys(var.zones))}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : length(try(var.zones[record.zone].forwarding_targets, [])) == 0 && try(var.zones[record.zone].peering_network, null) == null])
    error_message = "Zones that forward or peer have no records of their own: leave out ${join(", ", [for key, record in var.records : key if length(try(var.zones[record.zone].forwarding_targets, [])) > 0 || try(var.zones[record.zone].peering_network, null) != null])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : endswith(record.name, ".")])
    error_message = "The name of a record ends with a dot: write ${join(", ", [for key, record in var.records : "\"${record.name}.\" for ${key}" if !endswith(record.name, ".")])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : can(regex("^(\\*\\.)?([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\\.)+$", "${trimsuffix(record.name, ".")}.")) && length(record.name) <= 254])
    error_message = "These are not names of records: ${join(", ", [for record in values(var.records) : "\"${record.name}\"" if !can(regex("^(\\*\\.)?([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\\.)+$", "${trimsuffix(record.name, ".")}.")) || length(record.name) > 254])}. Write lower-case labels, the first of which may be *, such as \"*.app.example.com.\"."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : endswith(".${trimsuffix(record.name, ".")}.", ".${try(var.zones[record.zone].dns_name, "")}")])
    error_message = "Records are not in the domain of their zone: ${join(", ", [for key, record in var.records : "${key} (${record.name}) in ${record.zone}" if !endswith(".${trimsuffix(record.name, ".")}.", ".${try(var.zones[record.zone].dns_name, "")}")])}. Write the whole name, such as \"app.example.com.\" in a zone for example.com."
  }
  validation {
    condition = alltrue(flatten([for record in values(var.records) : [for name, zone in var.zones :
      name == record.zone || zone.visibility != try(var.zones[record.zone].visibility, "") || !endswith(".${record.name}", ".${zone.dns_name}") ||
      length(zone.dns_name) <= length(try(var.zones[record.zone].dns_name, "")) || (contains(["NS", "DS"], record.type) && record.name == zone.dns_name) ||
      (zone.visibility == "private" && length(setintersection(zone.networks, try(var.zones[record.zone].networks, []))) == 0)
    ]]))
    error_message = "Records are hidden by a zone below theirs: ${join(", ", flatten([for key, record in var.records : [for name, zone in var.zones : "${key} (${record.name}) by ${name} (${zone.dns_name})" if name != record.zone && zone.visibility == try(var.zones[record.zone].visibility, "") && endswith(".${record.name}", ".${zone.dns_name}") && length(zone.dns_name) > length(try(var.zones[record.zone].dns_name, "")) && !(contains(["NS", "DS"], record.type) && record.name == zone.dns_name)]]))}. Write them into that zone."
  }
  validation {
    condition = alltrue([for record in values(var.records) :
      length([for other in values(var.records) : other if other.zone == record.zone && other.name == record.name && other.type == record.type]) == 1
    ])
    error_message = "Records are there twice: ${join(", ", [for key, record in var.records : "${key} (${record.name} ${record.type})" if length([for other in values(var.records) : other if other.zone == record.zone && other.name == record.name && other.type == record.type]) > 1])}. Write one, with all of the data in its rrdatas."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : contains(["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"], record.type)])
    error_message = "These types of records are not known: ${join(", ", [for key, record in var.records : "${record.type} of ${key}" if !contains(["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"], record.type)])}. Write such as A, AAAA, CNAME or TXT; Cloud DNS keeps SOA itself."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : record.type != "CNAME" || record.name != try(var.zones[record.zone].dns_name, "")])
    error_message = "A zone's own name cannot be a CNAME, since it has NS and SOA records: write A and AAAA instead of ${join(", ", [for key, record in var.records : "${key} (${record.name})" if record.type == "CNAME" && record.name == try(var.zones[record.zone].dns_name, "")])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : record.type != "NS" || record.name != try(var.zones[record.zone].dns_name, "")])
    error_message = "Cloud DNS keeps the NS records of a zone's own name itself: leave out ${join(", ", [for key, record in var.records : key if record.type == "NS" && record.name == try(var.zones[record.zone].dns_name, "")])}, or write NS records of a name below it."
  }
  validation {
    condition = alltrue([for record in values(var.records) : record.type != "CNAME" ||
      length([for other in values(var.records) : other if other.zone == record.zone && other.name == record.name && other.type != "CNAME"]) == 0
    ])
    error_message = "A name that is a CNAME has no other records; look at ${join(", ", [for key, record in var.records : "${key} (${record.name})" if record.type == "CNAME" && length([for other in values(var.records) : other if other.zone == record.zone && other.name == record.name && other.type != "CNAME"]) > 0])}. Write A and AAAA instead of the CNAME, or leave the others out."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : record.ttl >= 1 && record.ttl <= 604800 && floor(record.ttl) == record.ttl])
    error_message = "ttl is 1 to 604800 whole seconds (a week), such as 300; look at ${join(", ", [for key, record in var.records : "${key} = ${record.ttl}" if !(record.ttl >= 1 && record.ttl <= 604800 && floor(record.ttl) == record.ttl)])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : (record.rrdatas == null) != (record.routing == null)])
    error_message = "A record has either rrdatas or routing; look at ${join(", ", [for key, record in var.records : key if(record.rrdatas == null) == (record.routing == null)])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : record.rrdatas == null || try(length(record.rrdatas) > 0 && (record.type != "CNAME" || length(record.rrdatas) == 1), false)])
    error_message = "rrdatas has at least one entry, and exactly one for a CNAME; look at ${join(", ", [for key, record in var.records : key if record.rrdatas != null])}."
  }
  validation {
    condition = alltrue(flatten([for record in values(var.records) : [
      for data in concat(coalesce(record.rrdatas, []), flatten([for answer in values(try(record.routing.answers, {})) : [answer.rrdatas, answer.external_endpoints]]), try(record.routing.primary.external_endpoints, [])) : (
        record.type == "A" ? can(cidrnetmask("${data}/32")) :
        record.type == "AAAA" ? can(cidrhost("${data}/128", 0)) && strcontains(data, ":") :
        contains(["CNAME", "NS", "PTR", "MX", "SRV"], record.type) ? endswith(data, ".") :
        record.type == "TXT" ? length(data) <= 257 || strcontains(data, "\" \"") : true
      )
    ]]))
    error_message = "The data of A records are IPv4 addresses, of AAAA records IPv6 addresses, of CNAME, NS, PTR, MX and SRV records names with a dot at the end, and a TXT string has at most 255 characters (write a longer one as \"\\\"first\\\" \\\"second\\\"\"). Look at ${join(", ", [for key, record in var.records : key if !alltrue([
      for data in concat(coalesce(record.rrdatas, []), flatten([for answer in values(try(record.routing.answers, {})) : [answer.rrdatas, answer.external_endpoints]]), try(record.routing.primary.external_endpoints, [])) : (
        record.type == "A" ? can(cidrnetmask("${data}/32")) :
        record.type == "AAAA" ? can(cidrhost("${data}/128", 0)) && strcontains(data, ":") :
        contains(["CNAME", "NS", "PTR", "MX", "SRV"], record.type) ? endswith(data, ".") :
        record.type == "TXT" ? length(data) <= 257 || strcontains(data, "\" \"") : true
    )])])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : contains(["wrr", "geo", "primary_backup"], try(record.routing.policy, "wrr"))])
    error_message = "The policy of routing is wrr, geo or primary_backup; look at ${join(", ", [for key, record in var.records : key if !contains(["wrr", "geo", "primary_backup"], try(record.routing.policy, "wrr"))])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : length(record.routing.answers) > 0 if record.routing != null])
    error_message = "routing has at least one of answers; look at ${join(", ", [for key, record in var.records : key if try(length(record.routing.answers), 1) == 0])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : (record.routing.policy == "primary_backup") == (record.routing.primary != null) if record.routing != null])
    error_message = "A primary_backup policy has a primary, and no other policy has one; look at ${join(", ", [for key, record in var.records : key if record.routing != null && (try(record.routing.policy, "") == "primary_backup") != (try(record.routing.primary, null) != null)])}."
  }
  validation {
    condition = alltrue(flatten([for record in values(var.records) : [
      for answer in values(record.routing.answers) : (record.routing.policy == "wrr") == (answer.weight != null) && coalesce(answer.weight, 0) >= 0 && coalesce(answer.weight, 0) <= 1000
    ] if record.routing != null]))
    error_message = "The answers of a wrr policy have weights from 0 to 1000, and no others have one; look at ${join(", ", [for key, record in var.records : key if !alltrue([for answer in values(try(record.routing.answers, {})) : (record.routing.policy == "wrr") == (answer.weight != null) && coalesce(answer.weight, 0) >= 0 && coalesce(answer.weight, 0) <= 1000])])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : sum(concat([0], [for answer in values(record.routing.answers) : coalesce(answer.weight, 0)])) > 0 if try(record.routing.policy, "") == "wrr"])
    error_message = "The weights are 0 in sum for ${join(", ", [for key, record in var.records : key if try(record.routing.policy, "") == "wrr" && sum(concat([0], [for answer in values(try(record.routing.answers, {})) : coalesce(answer.weight, 0)])) <= 0])}: write a weight above 0, such as 1, for at least one of its answers."
  }
  validation {
    condition     = alltrue(flatten([for record in values(var.records) : [for region in keys(record.routing.answers) : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))] if contains(["geo", "primary_backup"], try(record.routing.policy, ""))]))
    error_message = "The keys of answers are regions, such as \"europe-west1\", in ${join(", ", [for key, record in var.records : key if contains(["geo", "primary_backup"], try(record.routing.policy, "")) && !alltrue([for region in keys(try(record.routing.answers, {})) : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])])}."
  }
  validation {
    condition = alltrue([for record in values(var.records) :
      record.routing.trickle_ratio >= 0 && record.routing.trickle_ratio <= 1 && (record.routing.trickle_ratio == 0 || record.routing.policy == "primary_backup") &&
      (!record.routing.geo_fencing || record.routing.policy != "wrr") if record.routing != null
    ])
    error_message = "trickle_ratio is a share from 0 to 1, such as 0.05, for primary_backup only, and geo_fencing is not for wrr; look at ${join(", ", [for key, record in var.records : key if try(record.routing.trickle_ratio, 0) != 0 || try(record.routing.geo_fencing, false)])}."
  }
  validation {
    condition = alltrue(flatten([for record in values(var.records) : concat(
      [for answer in values(record.routing.answers) : (length(answer.rrdatas) > 0 ? 1 : 0) + (length(answer.external_endpoints) > 0 ? 1 : 0) + (length(answer.internal_load_balancers) > 0 ? 1 : 0) == 1],
      record.routing.primary == null ? [] : [(try(length(record.routing.primary.external_endpoints), 0) > 0) != (try(length(record.routing.primary.internal_load_balancers), 0) > 0)],
    ) if record.routing != null]))
    error_message = "An answer is exactly one of rrdatas, external_endpoints and internal_load_balancers, and primary one of the last two; look at ${join(", ", [for key, record in var.records : key if record.routing != null])}."
  }
  validation {
    condition = alltrue([for record in values(var.records) :
      anytrue(concat([for answer in values(record.routing.answers) : length(answer.external_endpoints) > 0], [try(length(record.routing.primary.external_endpoints) > 0, false)])) == (record.routing.health_check != null)
      if record.routing != null
    ])
    error_message = "external_endpoints need a health_check, and nothing else has one; look at ${join(", ", [for key, record in var.records : key if record.routing != null])}. Write a key of health_checks, or use rrdatas."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : contains(concat(keys(var.health_checks), [""]), try(coalesce(record.routing.health_check, ""), ""))])
    error_message = "These health checks are not in health_checks: ${join(", ", [for key, record in var.records : "${try(record.routing.health_check, "")} of ${key}" if !contains(concat(keys(var.health_checks), [""]), try(coalesce(record.routing.health_check, ""), ""))])}. Write one of ${join(", ", keys(var.health_checks))}."
  }
  validation {
    condition = alltrue([for record in values(var.records) :
      (try(var.zones[record.zone].visibility, "") == "public" || record.routing.health_check == null) &&
      (try(var.zones[record.zone].visibility, "") == "private" || !anytrue(concat([for answer in values(record.routing.answers) : length(answer.internal_load_balancers) > 0], [try(length(record.routing.primary.internal_load_balancers) > 0, false)])))
      if record.routing != null
    ])
    error_message = "external_endpoints are for public zones, and internal_load_balancers for private ones; look at ${join(", ", [for key, record in var.records : key if record.routing != null])}."
  }
  validation {
    condition     = alltrue([for record in values(var.records) : contains(["A", "AAAA"], record.type) || try(record.routing.health_check, null) == null])
    error_message = "Only A and AAAA records have a health_check; look at ${join(", ", [for key, record in var.records : "${key} (${record.type})" if !contains(["A", "AAAA"], record.type) && try(record.routing.health_check, null) != null])}."
  }
  validation {
    condition = alltrue(flatten([for record in values(var.records) : [
      for lb in flatten([for answer in values(record.routing.answers) : values(answer.internal_load_balancers)]) :
      contains(["regionalL4ilb", "regionalL7ilb", "globalL7ilb"], lb.type) && contains(["tcp", "udp"], lb.protocol) && lb.port >= 1 && lb.port <= 65535 && (lb.region == null) == (lb.type == "globalL7ilb")
    ] if record.routing != null]))
    error_message = "An internal load balancer has the type regionalL4ilb, regionalL7ilb or globalL7ilb, the protocol tcp or udp, a port, and a region unless it is global; look at ${join(", ", [for key, record in var.records : key if record.routing != null])}."
  }
  validation {
    condition = alltrue(flatten([for record in values(var.records) : [
      for lb in values(try(record.routing.primary.internal_load_balancers, {})) :
      contains(["regionalL4ilb", "regionalL7ilb", "globalL7ilb"], lb.type) && contains(["tcp", "udp"], lb.protocol) && lb.port >= 1 && lb.port <= 65535 && (lb.region == null) == (lb.type == "globalL7ilb")
    ]]))
    error_message = "A primary internal load balancer has the type regionalL4ilb, regionalL7ilb or globalL7ilb, the protocol tcp or udp, a port, and a region unless it is global; look at ${join(", ", [for key, record in var.records : key if record.routing != null])}."
  }
}

variable "project_id" {
  description = "Project the network is created in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "\"${var.project_id}\" is not a project id. Write the id, such as \"apex-prod\", and neither the number nor the display name."
  }
}

variable "name" {
  description = "Name of the network, and prefix of the name of everything in it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,23}[a-z0-9])?$", var.name))
    error_message = "\"${var.name}\" cannot be the prefix of resource names. Write at most 25 lower case letters, digits and hyphens that start with a letter and do not end with a hyphen."
  }
}

variable "labels" {
  description = "Labels of the reserved addresses. Networks, subnets, routers and firewall rules have none."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "regions" {
  description = "A subnet for each region: `cidr` for nodes and load balancers, `pods_cidr` and `services_cidr` as its secondary ranges for GKE, and `proxy_only_cidr` when regional Envoy load balancers are used there."
  type = map(object({
    cidr            = string
    pods_cidr       = string
    services_cidr   = string
    proxy_only_cidr = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.regions) > 0
    error_message = "There is no region. Write at least one, such as europe-west1 = { cidr = \"10.0.0.0/20\", pods_cidr = \"10.64.0.0/14\", services_cidr = \"10.128.0.0/20\" }."
  }

  validation {
    condition     = alltrue([for region in keys(var.regions) : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])
    error_message = "Not a region: ${join(", ", [for region in keys(var.regions) : region if !can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])}. Write the name of a region, such as \"europe-west1\", and not of a zone."
  }
}

variable "private_services_access" {
  description = <<-EOT
    Range that Google-managed services, Cloud SQL before all, take their private addresses from. Null leaves it out.
    `cidr` is explicit, so that it can be checked against every other range. `export_custom_routes` lets those services answer
    clients beyond a VPN or an interconnect. `deletion_policy` says what a destroy does to the connection: see the README.
  EOT
  type = object({
    cidr                 = string
    export_custom_routes = optional(bool, false)
    deletion_policy      = optional(string, "REMOVE_PEERING")
  })
  default = null

  validation {
    condition     = var.private_services_access == null ? true : contains(["REMOVE_PEERING", "DELETE", "ABANDON", "PREVENT"], var.private_services_access.deletion_policy)
    error_message = "deletion_policy is \"${try(var.private_services_access.deletion_policy, "")}\". Write \"REMOVE_PEERING\", \"DELETE\", \"ABANDON\" or \"PREVENT\"."
  }
}

variable "reserved_cidrs" {
  description = "Ranges in use on the other side of a VPN, an interconnect or a peering, by a name for messages. Nothing in the network may overlap them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "flow_logs" {
  description = "What the flow logs of the subnets record. Null turns them off."
  type = object({
    sampling             = optional(number, 0.5)
    aggregation_interval = optional(string, "INTERVAL_5_SEC")
    metadata             = optional(string, "INCLUDE_ALL_METADATA")
    filter               = optional(string, "true")
  })
  default = {}

  validation {
    condition     = var.flow_logs == null ? true : var.flow_logs.sampling > 0 && var.flow_logs.sampling <= 1
    error_message = "sampling is ${try(var.flow_logs.sampling, 0)}. Write a share above 0 and up to 1, or set flow_logs to null to turn the logs off."
  }

  validation {
    condition     = var.flow_logs == null ? true : contains(["INTERVAL_5_SEC", "INTERVAL_30_SEC", "INTERVAL_1_MIN", "INTERVAL_5_MIN", "INTERVAL_10_MIN", "INTERVAL_15_MIN"], var.flow_logs.aggregation_interval)
    error_message = "aggregation_interval is \"${try(var.flow_logs.aggregation_interval, "")}\". Write INTERVAL_5_SEC, INTERVAL_30_SEC, INTERVAL_1_MIN, INTERVAL_5_MIN, INTERVAL_10_MIN or INTERVAL_15_MIN."
  }

  validation {
    condition     = var.flow_logs == null ? true : contains(["INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA"], var.flow_logs.metadata)
    error_message = "metadata is \"${try(var.flow_logs.metadata, "")}\". Write INCLUDE_ALL_METADATA or EXCLUDE_ALL_METADATA."
  }
}

variable "nat" {
  description = <<-EOT
    Cloud NAT of each region. `static_addresses` reserves that many addresses in each region, for partners that allow callers by
    address; with 0, Google picks them. Ports are handed out on demand between `min_ports_per_vm` and `max_ports_per_vm`.
    `log_filter` is ERRORS_ONLY, TRANSLATIONS_ONLY or ALL. Null leaves NAT out.
  EOT
  type = object({
    static_addresses = optional(number, 0)
    min_ports_per_vm = optional(number, 64)
    max_ports_per_vm = optional(number, 8192)
    log_filter       = optional(string, "ERRORS_ONLY")
  })
  default = {}

  validation {
    condition     = var.nat == null ? true : var.nat.static_addresses >= 0 && var.nat.static_addresses <= 50 && floor(var.nat.static_addresses) == var.nat.static_addresses
    error_message = "static_addresses is ${try(var.nat.static_addresses, 0)}. Write a whole number from 0 to 50."
  }

  validation {
    condition = var.nat == null ? true : (
      contains([for e in range(5, 16) : pow(2, e)], var.nat.min_ports_per_vm)
      && contains([for e in range(6, 17) : pow(2, e)], var.nat.max_ports_per_vm)
      && var.nat.min_ports_per_vm < var.nat.max_ports_per_vm
    )
    error_message = "Ports go from ${try(var.nat.min_ports_per_vm, 0)} to ${try(var.nat.max_ports_per_vm, 0)}. Write powers of two, min_ports_per_vm from 32 to 32768 and below max_ports_per_vm, which is at most 65536."
  }

  validation {
    condition     = var.nat == null ? true : contains(["ERRORS_ONLY", "TRANSLATIONS_ONLY", "ALL"], var.nat.log_filter)
    error_message = "log_filter is \"${try(var.nat.log_filter, "")}\". Write ERRORS_ONLY, TRANSLATIONS_ONLY or ALL."
  }
}

variable "firewall" {
  description = <<-EOT
    What may come in; everything else is denied and logged. Google's load balancers and health checks reach pods on the TCP ports
    in `health_check_ports`, and the regional proxies of a region with a `proxy_only_cidr` on those in `proxy_ports`; `[]` closes
    either. `iap` opens TCP ports to Identity-Aware Proxy on the machines of some service accounts. `rules` holds your own, by
    name: `allow` maps a protocol to its ports, `[]` for all of them.
  EOT
  type = object({
    health_check_ports = optional(list(string), ["1-65535"])
    proxy_ports        = optional(list(string), ["1-65535"])
    iap = optional(object({
      ports                   = optional(list(string), ["22"])
      target_service_accounts = set(string)
    }))
    rules = optional(map(object({
      description             = string
      allow                   = map(list(string))
      source_ranges           = set(string)
      destination_ranges      = optional(set(string))
      target_service_accounts = optional(set(string))
      priority                = optional(number, 1000)
    })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.firewall.iap == null ? true : length(var.firewall.iap.target_service_accounts) > 0
    error_message = "iap names no service account, which would open its ports on every machine. Write the accounts of the machines that are reached through Identity-Aware Proxy."
  }

  validation {
    condition     = alltrue([for name in keys(var.firewall.rules) : can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", name)) && length("${var.name}-allow-${name}") <= 63])
    error_message = "Not the name of a rule: ${join(", ", [for name in keys(var.firewall.rules) : name if !can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", name)) || length("${var.name}-allow-${name}") > 63])}. Write lower case letters, digits and hyphens; with the prefix \"${var.name}-allow-\" a name has at most 63 characters."
  }

  validation {
    condition     = !contains(flatten([for rule in values(var.firewall.rules) : tolist(rule.source_ranges)]), "0.0.0.0/0")
    error_message = "Open to the whole internet: ${join(", ", [for name, rule in var.firewall.rules : name if contains(rule.source_ranges, "0.0.0.0/0")])}. Name the ranges that may come in; what the internet is to reach goes behind a load balancer."
  }

  validation {
    condition     = alltrue([for rule in values(var.firewall.rules) : length(rule.source_ranges) > 0 && alltrue([for cidr in rule.source_ranges : can(cidrnetmask(cidr))])])
    error_message = "Without a source that is an IPv4 range: ${join(", ", [for name, rule in var.firewall.rules : name if length(rule.source_ranges) == 0 || !alltrue([for cidr in rule.source_ranges : can(cidrnetmask(cidr))])])}. Write ranges such as \"10.0.0.0/20\"."
  }

  validation {
    condition     = alltrue([for rule in values(var.firewall.rules) : length(rule.allow) > 0])
    error_message = "Allows nothing: ${join(", ", [for name, rule in var.firewall.rules : name if length(rule.allow) == 0])}. Write protocols and ports, such as allow = { tcp = [\"5432\"] }."
  }

  validation {
    condition     = alltrue([for rule in values(var.firewall.rules) : rule.priority >= 0 && rule.priority < 65534])
    error_message = "Without effect below the rule that denies the rest: ${join(", ", [for name, rule in var.firewall.rules : "${name} (${rule.priority})" if rule.priority < 0 || rule.priority >= 65534])}. Write a priority from 0 to 65533."
  }
}

variable "project_id" {
  description = "Project of the platform."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "\"${var.project_id}\" is not a project id. Write the id, such as \"apex-prod\", and neither the number nor the display name."
  }
}

variable "project_number" {
  description = "Number of that project. Google's service agents are named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "\"${var.project_number}\" is not a project number. Write the digits, such as \"123456789012\"."
  }
}

variable "name" {
  description = "Name of the platform, and prefix of the name of everything in it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,14}[a-z0-9])?$", var.name))
    error_message = "\"${var.name}\" cannot be the prefix of names. Write at most 16 lower case letters, digits and hyphens that start with a letter and do not end with a hyphen: the region has to fit behind it."
  }
}

variable "labels" {
  description = "Labels of everything that has labels."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "regions" {
  description = <<-EOT
    The regions, each with all that is in it. One more changes nothing of the others.

    - `cidr`, `pods_cidr`, `services_cidr`, `proxy_only_cidr`: its ranges in the network. No two of all regions may overlap.
    - `zones`: zones of its nodes and of the load balancer's endpoint groups.
    - `cluster`: its GKE cluster. Give each region days of its own in `maintenance.recurrence`.
    - `database`: its PostgreSQL instance; null for none. What it is (primary, DR replica, replica), `database` below says.
  EOT
  type = map(object({
    cidr            = string
    pods_cidr       = string
    services_cidr   = string
    proxy_only_cidr = optional(string)
    zones           = set(string)
    cluster = optional(object({
      mode = optional(string, "autopilot")
      node_pools = optional(map(object({
        machine_type = optional(string, "n2d-standard-4")
        nodes_per_zone = optional(object({
          min = optional(number, 1)
          max = optional(number, 3)
        }), {})
        spot         = optional(bool, false)
        disk_size_gb = optional(number, 100)
        labels       = optional(map(string), {})
        taints = optional(list(object({
          key    = string
          value  = string
          effect = string
        })), [])
      })), {})
      release_channel = optional(string, "REGULAR")
      maintenance = optional(object({
        start_time = optional(string, "2025-01-04T02:00:00Z")
        end_time   = optional(string, "2025-01-04T08:00:00Z")
        recurrence = optional(string, "FREQ=WEEKLY;BYDAY=SA,SU")
      }), {})
    }), {})
    database = optional(object({
      tier                  = string
      availability_type     = optional(string)
      disk_size             = optional(number, 100)
      disk_autoresize_limit = optional(number, 0)
    }))
  }))
  nullable = false

  validation {
    condition     = length(var.regions) > 0
    error_message = "There is no region. Write at least one."
  }

  validation {
    condition     = alltrue(flatten([for region, it in var.regions : [length(it.zones) > 0, [for zone in it.zones : startswith(zone, "${region}-")]]]))
    error_message = "A region has zones of its own, at least one. Correct ${join(", ", [for region, it in var.regions : "${region} (${join(", ", it.zones)})" if length(it.zones) == 0 || anytrue([for zone in it.zones : !startswith(zone, "${region}-")])])}, for example to zones = [\"${try(keys(var.regions)[0], "europe-west1")}-b\"]."
  }
}

variable "private_services_cidr" {
  description = "Range from which Cloud SQL takes its private addresses, a /16 to a /24 that overlaps no other."
  type        = string
  nullable    = false
}

variable "reserved_cidrs" {
  description = "Ranges in use on the other side of a VPN or an interconnect, where the monolith is, by a name for messages. Nothing may overlap them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "database" {
  description = <<-EOT
    The database over all regions that have one.

    - `home_region`: where the first instance is created, as the primary. It never changes.
    - `dr_region`: where the DR replica is.
    - `active_region`: where the primary is; null is `home_region`. Set it to `dr_region` once the control plane has switched over.
    - `designate_dr_replica`: makes the DR replica known to its primary, which Cloud SQL takes only when both exist: set it once the
      first apply is through, unless the control plane does it.
    - `databases`, `users`, `flags`, `backup`: as in module `cloud-sql`.
  EOT
  type = object({
    home_region          = string
    dr_region            = optional(string)
    active_region        = optional(string)
    designate_dr_replica = optional(bool, false)
    version              = optional(string, "POSTGRES_17")
    edition              = optional(string, "ENTERPRISE_PLUS")
    databases = optional(map(object({
      charset   = optional(string, "UTF8")
      collation = optional(string, "en_US.UTF8")
    })), {})
    users = optional(map(object({
      type             = optional(string, "CLOUD_IAM_SERVICE_ACCOUNT")
      password_version = optional(number)
    })), {})
    flags = optional(map(string), {})
    backup = optional(object({
      start_time                     = optional(string, "03:00")
      location                       = optional(string)
      retained_backups               = optional(number, 15)
      transaction_log_retention_days = optional(number)
    }), {})
  })
  nullable = false

  validation {
    condition     = alltrue([for region in [var.database.home_region, var.database.dr_region, var.database.active_region] : try(var.regions[region].database != null, false) if region != null])
    error_message = "database names regions without a database: ${join(", ", distinct([for region in [var.database.home_region, var.database.dr_region, var.database.active_region] : region if region != null && !try(var.regions[region].database != null, false)]))}. Give them one in regions, such as database = { tier = \"db-perf-optimized-N-2\" }, or name one of ${join(", ", [for region, it in var.regions : region if it.database != null])}."
  }
}

variable "passwords" {
  description = "Passwords of the database's users of type `BUILT_IN`, by name. They are in neither plan nor state, and needed at every plan."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
}

variable "load_balancer" {
  description = <<-EOT
    The way in, over all regions.

    - `domains`: host names with a managed certificate each.
    - `services`: what runs in the clusters, by name. `regions` are those it runs in; null is all.
    - `monolith`: what is still outside, known to routes as `monolith`: `hybrid` over Interconnect or VPN, or `internet` by name.
    - `default_backend`: who gets what no route matches.
    - `routes`: by `priority`, `paths`, `path_prefixes`, `headers` and `cookies`, with `backends` in percent.
    - `drained_regions`: regions that get no traffic.
  EOT
  type = object({
    domains         = set(string)
    default_backend = string
    services = map(object({
      regions = optional(map(object({
        capacity              = optional(number, 1)
        max_rate_per_endpoint = optional(number)
        preferred             = optional(bool, false)
      })))
      port                  = optional(number, 80)
      protocol              = optional(string, "HTTP")
      max_rate_per_endpoint = optional(number, 100)
      timeout               = optional(number, 30)
      connection_draining   = optional(number, 60)
      log_sample_rate       = optional(number, 1)
      health_check = optional(object({
        path     = optional(string, "/healthz")
        port     = optional(number)
        interval = optional(number, 5)
        timeout  = optional(number, 5)
      }), {})
    }))
    monolith = optional(object({
      hybrid = optional(object({
        endpoints = map(object({
          ip_address = string
          port       = number
          zone       = string
        }))
        max_rate_per_endpoint = optional(number, 100)
      }))
      internet = optional(object({
        fqdn        = string
        port        = optional(number, 443)
        host_header = optional(string)
      }))
      protocol = optional(string, "HTTPS")
      timeout  = optional(number, 30)
    }))
    routes = optional(map(object({
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
      cookies  = optional(map(string), {})
      backends = map(number)
      timeout  = optional(number)
      mirror   = optional(string)
    })), {})
    drained_regions = optional(set(string), [])
  })
  nullable = false
}

variable "dns_zone" {
  description = "Public zone that is made for the load balancer's domains: its name with the dot at its end. Null leaves DNS to you: the output `dns_records` says what to write."
  type        = string
  default     = null

  validation {
    condition     = var.dns_zone == null || try(endswith(var.dns_zone, "."), false)
    error_message = "dns_zone \"${coalesce(var.dns_zone, "null")}\" lacks the dot at its end. Write \"${coalesce(var.dns_zone, "null")}.\"."
  }

  validation {
    condition     = var.dns_zone == null || alltrue([for domain in var.load_balancer.domains : try("${trimprefix(domain, "*.")}." == var.dns_zone || endswith("${domain}.", ".${var.dns_zone}"), false)])
    error_message = "These domains are not in the zone ${coalesce(var.dns_zone, "null")}: ${join(", ", [for domain in var.load_balancer.domains : domain if !try("${trimprefix(domain, "*.")}." == var.dns_zone || endswith("${domain}.", ".${var.dns_zone}"), false)])}. Write domains in it, or set dns_zone to null and write the records yourself."
  }
}

variable "slos" {
  description = "Service level objectives, by name: resources `synapse_slo` as they are. See module `observability`."
  type = map(object({
    service    = string
    window     = optional(string, "720h")
    rules_yaml = string
    alerting   = optional(object({ disabled = optional(bool, false) }), {})
  }))
  default  = {}
  nullable = false
}

variable "observability" {
  description = <<-EOT
    Who is told of what, as in module `observability`.

    - `channels`: who is notified, by name.
    - `uptime_checks`: HTTPS checks from outside, by name.
    - `alerts`: alerts on metrics besides those of `slos`, by name.
    - `scrape`: pods whose metrics are collected, by name.
  EOT
  type = object({
    channels = optional(map(object({
      type           = string
      target         = optional(string)
      username       = optional(string)
      severities     = optional(set(string), ["page", "ticket"])
      secret_version = optional(number)
    })), {})
    uptime_checks = optional(map(object({
      host        = string
      path        = optional(string, "/healthz")
      period      = optional(string, "60s")
      runbook_url = string
    })), {})
    alerts = optional(map(object({
      query       = string
      duration    = optional(string, "300s")
      severity    = optional(string, "ticket")
      summary     = string
      runbook_url = string
    })), {})
    scrape = optional(map(object({
      namespace = string
      selector  = map(string)
      port      = string
      path      = optional(string, "/metrics")
      interval  = optional(string, "30s")
    })), {})
  })
  default  = {}
  nullable = false
}

variable "channel_secrets" {
  description = "Secrets of the notification channels, by name. They are in neither plan nor state, and needed at every plan."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
}

variable "control_plane_access" {
  description = "Ways to the Kubernetes API of all clusters, as `control_plane` of module `gke-cluster`. By default the DNS endpoint, which asks IAM, and no IP endpoint."
  type = object({
    dns_endpoint = optional(bool, true)
    ip_endpoints = optional(object({
      public              = optional(bool, false)
      global_access       = optional(bool, true)
      authorized_networks = optional(map(string), {})
    }))
  })
  default  = {}
  nullable = false
}

variable "multi_cluster_gateway_region" {
  description = "Region whose cluster has the objects of multi-cluster Gateways; null leaves them off."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Refuses to delete clusters, databases, addresses, zones and fleet features. Set it to false, and apply that, before a destroy or before a region is removed."
  type        = bool
  default     = true
  nullable    = false
}

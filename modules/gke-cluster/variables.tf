variable "project_id" {
  description = "Project the cluster is created in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "\"${var.project_id}\" is not a project id. Write the id, such as \"apex-prod\", and neither the number nor the display name."
  }
}

variable "project_number" {
  description = "Number of that project. The service agent of GKE, which encrypts secrets, is named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "\"${var.project_number}\" is not a project number. Write the digits, such as \"123456789012\"."
  }
}

variable "name" {
  description = "Name of the cluster, and prefix of the names of what belongs to it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", var.name))
    error_message = "\"${var.name}\" cannot be the name of a cluster. Write at most 40 lower case letters, digits and hyphens that start with a letter and do not end with a hyphen."
  }
}

variable "labels" {
  description = "Labels of the cluster, its nodes and its key."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "region" {
  description = "Region of the cluster; its control plane and its nodes are in several zones there."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "\"${var.region}\" is not a region. Write the name of a region, such as \"europe-west1\"; a cluster in one zone would go with it."
  }
}

variable "zones" {
  description = "Zones of the nodes. Null leaves the choice to Google, which takes three."
  type        = set(string)
  default     = null

  validation {
    condition     = var.zones == null ? true : length(var.zones) >= 2 && alltrue([for zone in var.zones : startswith(zone, "${var.region}-")])
    error_message = "Zones are ${join(", ", coalesce(var.zones, []))}. Write at least two zones of ${var.region}, or null."
  }
}

variable "network" {
  description = "The network, as module `network` hands it on."
  type        = object({ id = string })
  nullable    = false
}

variable "subnet" {
  description = "The subnet in the region, as module `network` hands it on."
  type = object({
    id                  = string
    pods_range_name     = string
    services_range_name = string
  })
  nullable = false
}

variable "mode" {
  description = "`autopilot`, where Google runs the nodes, or `standard` with `node_pools`. A cluster cannot go from one to the other."
  type        = string
  default     = "autopilot"
  nullable    = false

  validation {
    condition     = contains(["autopilot", "standard"], var.mode)
    error_message = "mode is \"${var.mode}\". Write \"autopilot\" or \"standard\"."
  }
}

variable "node_pools" {
  description = <<-EOT
    Node pools of a standard cluster by name. `nodes_per_zone` bounds the autoscaler. Upgrades are rolling with `surge`, or
    blue-green when `blue_green` is set. Effects of taints are NO_SCHEDULE, PREFER_NO_SCHEDULE or NO_EXECUTE. A pool is as protected
    as the cluster, unless its own `deletion_protection` says otherwise: apply `false` before it is removed or replaced.
  EOT
  type = map(object({
    machine_type = optional(string, "n2d-standard-4")
    nodes_per_zone = optional(object({
      min = optional(number, 1)
      max = optional(number, 3)
    }), {})
    zones        = optional(set(string))
    spot         = optional(bool, false)
    disk_size_gb = optional(number, 100)
    disk_type    = optional(string, "pd-balanced")
    image_type   = optional(string, "COS_CONTAINERD")
    max_pods     = optional(number)
    labels       = optional(map(string), {})
    taints = optional(list(object({
      key    = string
      value  = string
      effect = string
    })), [])
    surge = optional(object({
      max_surge       = optional(number, 1)
      max_unavailable = optional(number, 0)
    }), {})
    blue_green = optional(object({
      batch_percentage        = optional(number, 0.25)
      batch_soak_duration     = optional(string, "300s")
      node_pool_soak_duration = optional(string, "3600s")
    }))
    deletion_protection = optional(bool)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = var.mode != "autopilot" || length(var.node_pools) == 0
    error_message = "An Autopilot cluster takes no node pools, and there is ${join(", ", keys(var.node_pools))}. Leave node_pools empty, or set mode = \"standard\"."
  }

  validation {
    condition     = var.mode != "standard" || length(var.node_pools) > 0
    error_message = "A standard cluster without node pools runs nothing. Write at least one, such as node_pools = { general = {} }, or set mode = \"autopilot\"."
  }

  validation {
    condition     = alltrue([for name in keys(var.node_pools) : can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", name))])
    error_message = "Not the name of a node pool: ${join(", ", [for name in keys(var.node_pools) : name if !can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", name))])}. Write at most 40 lower case letters, digits and hyphens that start with a letter and do not end with a hyphen."
  }

  validation {
    condition     = alltrue([for pool in values(var.node_pools) : pool.nodes_per_zone.min >= 0 && pool.nodes_per_zone.max >= 1 && pool.nodes_per_zone.min <= pool.nodes_per_zone.max])
    error_message = "Bounds that no number of nodes is in: ${join(", ", [for name, pool in var.node_pools : "${name} (${pool.nodes_per_zone.min} to ${pool.nodes_per_zone.max})" if pool.nodes_per_zone.min < 0 || pool.nodes_per_zone.max < 1 || pool.nodes_per_zone.min > pool.nodes_per_zone.max])}. Write min from 0 and max from 1, and min not above max."
  }

  validation {
    condition     = alltrue([for pool in values(var.node_pools) : pool.surge.max_surge >= 0 && pool.surge.max_unavailable >= 0 && pool.surge.max_surge + pool.surge.max_unavailable >= 1 && pool.surge.max_surge + pool.surge.max_unavailable <= 20])
    error_message = "Upgrades that never move, or more than 20 nodes at once: ${join(", ", [for name, pool in var.node_pools : name if pool.surge.max_surge < 0 || pool.surge.max_unavailable < 0 || pool.surge.max_surge + pool.surge.max_unavailable < 1 || pool.surge.max_surge + pool.surge.max_unavailable > 20])}. Write max_surge and max_unavailable with a sum from 1 to 20."
  }

  validation {
    condition     = alltrue([for pool in values(var.node_pools) : pool.blue_green == null ? true : pool.blue_green.batch_percentage > 0 && pool.blue_green.batch_percentage <= 1])
    error_message = "Not a share of a pool: ${join(", ", [for name, pool in var.node_pools : "${name} (${pool.blue_green.batch_percentage})" if pool.blue_green == null ? false : pool.blue_green.batch_percentage <= 0 || pool.blue_green.batch_percentage > 1])}. Write batch_percentage above 0 and up to 1."
  }

  validation {
    condition     = alltrue(flatten([for pool in values(var.node_pools) : [for taint in pool.taints : contains(["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"], taint.effect)]]))
    error_message = "Effects of taints that do not exist: ${join(", ", flatten([for name, pool in var.node_pools : [for taint in pool.taints : "${taint.effect} (${name})" if !contains(["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"], taint.effect)]]))}. Write NO_SCHEDULE, PREFER_NO_SCHEDULE or NO_EXECUTE."
  }

  validation {
    condition     = alltrue([for pool in values(var.node_pools) : pool.max_pods == null ? true : pool.max_pods >= 8 && pool.max_pods <= 256])
    error_message = "Not a number of pods for a node: ${join(", ", [for name, pool in var.node_pools : "${name} (${pool.max_pods})" if pool.max_pods == null ? false : pool.max_pods < 8 || pool.max_pods > 256])}. Write max_pods from 8 to 256, or leave it out for 110."
  }
}

variable "node_roles" {
  description = "Roles in the project that the service account of the nodes has beside `roles/container.defaultNodeServiceAccount`, such as `roles/artifactregistry.reader`. Better: let the repository name the account."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setintersection(var.node_roles, ["roles/owner", "roles/editor"])) == 0
    error_message = "Nodes must not have ${join(", ", setintersection(var.node_roles, ["roles/owner", "roles/editor"]))}: every pod that escapes would. Write the roles that are needed, such as \"roles/artifactregistry.reader\"."
  }
}

variable "release_channel" {
  description = "Release channel: RAPID, REGULAR, STABLE or EXTENDED."
  type        = string
  default     = "REGULAR"
  nullable    = false

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE", "EXTENDED"], var.release_channel)
    error_message = "release_channel is \"${var.release_channel}\". Write RAPID, REGULAR, STABLE or EXTENDED."
  }
}

variable "maintenance" {
  description = <<-EOT
    When Google may upgrade the cluster: from `start_time` to `end_time`, repeated by `recurrence` (RFC 5545), and never in
    `exclusions`, by name, whose `scope` is NO_UPGRADES, NO_MINOR_UPGRADES or NO_MINOR_OR_NODE_UPGRADES. Between two upgrades of
    the control plane are at least `minor_interval_days`, or `patch_interval_days`.
  EOT
  type = object({
    start_time = optional(string, "2025-01-04T02:00:00Z")
    end_time   = optional(string, "2025-01-04T08:00:00Z")
    recurrence = optional(string, "FREQ=WEEKLY;BYDAY=SA,SU")
    exclusions = optional(map(object({
      start_time = string
      end_time   = string
      scope      = optional(string, "NO_UPGRADES")
    })), {})
    minor_interval_days = optional(number, 30)
    patch_interval_days = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.maintenance.minor_interval_days >= 0 && var.maintenance.minor_interval_days <= 90 && var.maintenance.patch_interval_days >= 0 && var.maintenance.patch_interval_days <= 90
    error_message = "Between upgrades are ${var.maintenance.minor_interval_days} days for minor and ${var.maintenance.patch_interval_days} for patch versions. Write 0 to 90 for each."
  }

  validation {
    condition     = try(timecmp(timeadd(var.maintenance.start_time, "4h"), var.maintenance.end_time) <= 0 && timecmp(timeadd(var.maintenance.start_time, "24h"), var.maintenance.end_time) >= 0, false)
    error_message = "The window from \"${var.maintenance.start_time}\" to \"${var.maintenance.end_time}\" is not one of 4 to 24 hours. Write times such as \"2025-01-04T02:00:00Z\"."
  }

  validation {
    condition     = can(regex("^FREQ=(DAILY|WEEKLY)(;[A-Z]+=[A-Z0-9,+-]+)*$", var.maintenance.recurrence))
    error_message = "recurrence is \"${var.maintenance.recurrence}\". Write a daily or weekly rule of RFC 5545, such as \"FREQ=WEEKLY;BYDAY=SA,SU\"; GKE wants 48 hours in any 32 days."
  }

  validation {
    condition     = alltrue([for exclusion in values(var.maintenance.exclusions) : try(timecmp(exclusion.start_time, exclusion.end_time) < 0, false)])
    error_message = "Exclusions that do not end after they start: ${join(", ", [for name, exclusion in var.maintenance.exclusions : name if !try(timecmp(exclusion.start_time, exclusion.end_time) < 0, false)])}. Write times such as \"2026-11-26T00:00:00Z\"."
  }

  validation {
    condition     = alltrue([for exclusion in values(var.maintenance.exclusions) : contains(["NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"], exclusion.scope)])
    error_message = "Scopes that do not exist: ${join(", ", [for name, exclusion in var.maintenance.exclusions : "${exclusion.scope} (${name})" if !contains(["NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"], exclusion.scope)])}. Write NO_UPGRADES, NO_MINOR_UPGRADES or NO_MINOR_OR_NODE_UPGRADES."
  }

  validation {
    condition     = alltrue([for exclusion in values(var.maintenance.exclusions) : exclusion.scope != "NO_UPGRADES" || try(timecmp(timeadd(exclusion.start_time, "2160h"), exclusion.end_time) >= 0, true)])
    error_message = "Longer than 90 days without any upgrade: ${join(", ", [for name, exclusion in var.maintenance.exclusions : name if exclusion.scope == "NO_UPGRADES" && !try(timecmp(timeadd(exclusion.start_time, "2160h"), exclusion.end_time) >= 0, true)])}. End it earlier, or set scope = \"NO_MINOR_OR_NODE_UPGRADES\"."
  }
}

variable "control_plane" {
  description = <<-EOT
    Ways to the Kubernetes API. `dns_endpoint` is a name that is reached from anywhere and guarded by IAM. `ip_endpoints` adds
    addresses: private ones, and with `public` one on the internet; `authorized_networks` maps a name to a range that may connect.
  EOT
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

  validation {
    condition     = var.control_plane.dns_endpoint || var.control_plane.ip_endpoints != null
    error_message = "Nobody could reach the Kubernetes API. Leave dns_endpoint on, or set ip_endpoints."
  }

  validation {
    condition     = alltrue([for cidr in values(try(var.control_plane.ip_endpoints.authorized_networks, {})) : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "Not a range that may connect: ${join(", ", [for name, cidr in try(var.control_plane.ip_endpoints.authorized_networks, {}) : "${name} (${cidr})" if !can(cidrnetmask(cidr)) || cidr == "0.0.0.0/0"])}. Write ranges such as \"203.0.113.0/24\", and not the whole internet."
  }

  validation {
    condition     = var.control_plane.ip_endpoints == null ? true : !var.control_plane.ip_endpoints.public || length(var.control_plane.ip_endpoints.authorized_networks) > 0
    error_message = "The public endpoint would be open to nobody or to everybody. Write the ranges that may connect into authorized_networks."
  }
}

variable "fleet" {
  description = "Project whose fleet the cluster joins. Null leaves it out of any."
  type        = string
  default     = null

  validation {
    condition     = var.fleet == null ? true : can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.fleet))
    error_message = "\"${coalesce(var.fleet, "null")}\" is not a project id. Write the id of the project of the fleet, or null."
  }
}

variable "encryption_key" {
  description = "KMS key, in the region of the cluster, that secrets are encrypted with in etcd. It must let the service agent of GKE encrypt and decrypt. Null makes a key ring and a key."
  type        = string
  default     = null

  validation {
    condition     = var.encryption_key == null ? true : can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.encryption_key))
    error_message = "\"${coalesce(var.encryption_key, "null")}\" is not the id of a key in ${var.region}. Write projects/PROJECT/locations/${var.region}/keyRings/RING/cryptoKeys/KEY, without a version."
  }
}

variable "key_ring" {
  description = "The key ring and key that are made when no `encryption_key` is given. A key ring can never be deleted: give another `name` to build a cluster again that was destroyed (null: the cluster's name with `-gke`)."
  type = object({
    name            = optional(string)
    rotation_period = optional(string, "7776000s")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.key_ring.name == null ? true : can(regex("^[a-zA-Z0-9_-]{1,63}$", var.key_ring.name))
    error_message = "\"${coalesce(var.key_ring.name, "null")}\" cannot be the name of a key ring. Write at most 63 letters, digits, hyphens and underscores."
  }

  validation {
    condition     = can(regex("^[0-9]+s$", var.key_ring.rotation_period)) && try(tonumber(trimsuffix(var.key_ring.rotation_period, "s")) >= 86400 && tonumber(trimsuffix(var.key_ring.rotation_period, "s")) <= 31536000, false)
    error_message = "rotation_period is \"${var.key_ring.rotation_period}\". Write seconds from a day to a year, such as \"7776000s\" for 90 days."
  }
}

variable "observability" {
  description = "What is collected beside managed Prometheus, which is always on: components whose `logs` go to Cloud Logging, and whose `metrics` go to Cloud Monitoring. Both hold SYSTEM_COMPONENTS."
  type = object({
    logs    = optional(set(string), ["APISERVER", "CONTROLLER_MANAGER", "SCHEDULER", "SYSTEM_COMPONENTS", "WORKLOADS"])
    metrics = optional(set(string), ["APISERVER", "CADVISOR", "CONTROLLER_MANAGER", "DAEMONSET", "DEPLOYMENT", "HPA", "KUBELET", "POD", "SCHEDULER", "STATEFULSET", "STORAGE", "SYSTEM_COMPONENTS"])
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(var.observability.logs, "SYSTEM_COMPONENTS") && contains(var.observability.metrics, "SYSTEM_COMPONENTS")
    error_message = "Without SYSTEM_COMPONENTS GKE collects nothing else either. Write it into both logs and metrics."
  }
}

variable "security" {
  description = <<-EOT
    `posture` is BASIC, ENTERPRISE or DISABLED, and `vulnerability_scanning` VULNERABILITY_DISABLED or VULNERABILITY_ENTERPRISE.
    `binary_authorization` enforces the policy of the project. `google_group` is the group gke-security-groups@ of your domain,
    whose members RBAC may name.
  EOT
  type = object({
    posture                = optional(string, "BASIC")
    vulnerability_scanning = optional(string, "VULNERABILITY_DISABLED")
    binary_authorization   = optional(bool, false)
    google_group           = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["BASIC", "ENTERPRISE", "DISABLED"], var.security.posture)
    error_message = "posture is \"${var.security.posture}\". Write BASIC, ENTERPRISE or DISABLED."
  }

  validation {
    condition     = contains(["VULNERABILITY_DISABLED", "VULNERABILITY_ENTERPRISE"], var.security.vulnerability_scanning)
    error_message = "vulnerability_scanning is \"${var.security.vulnerability_scanning}\". Write VULNERABILITY_DISABLED or VULNERABILITY_ENTERPRISE."
  }

  validation {
    condition     = var.security.google_group == null ? true : can(regex("^gke-security-groups@[^@]+$", var.security.google_group))
    error_message = "\"${coalesce(var.security.google_group, "null")}\" is not the group that GKE takes. Write \"gke-security-groups@\" and your domain."
  }
}

variable "notifications" {
  description = "Pub/Sub topic that GKE tells of `events`: UPGRADE_AVAILABLE_EVENT, UPGRADE_EVENT, UPGRADE_INFO_EVENT, SECURITY_BULLETIN_EVENT. Null tells nobody."
  type = object({
    topic  = string
    events = optional(set(string), ["SECURITY_BULLETIN_EVENT", "UPGRADE_AVAILABLE_EVENT", "UPGRADE_EVENT"])
  })
  default = null

  validation {
    condition     = var.notifications == null ? true : can(regex("^projects/[^/]+/topics/[^/]+$", var.notifications.topic))
    error_message = "\"${try(var.notifications.topic, "")}\" is not the id of a topic. Write projects/PROJECT/topics/TOPIC."
  }

  validation {
    condition     = var.notifications == null ? true : length(setsubtract(var.notifications.events, ["UPGRADE_AVAILABLE_EVENT", "UPGRADE_EVENT", "UPGRADE_INFO_EVENT", "SECURITY_BULLETIN_EVENT"])) == 0
    error_message = "Events that do not exist: ${join(", ", setsubtract(try(var.notifications.events, []), ["UPGRADE_AVAILABLE_EVENT", "UPGRADE_EVENT", "UPGRADE_INFO_EVENT", "SECURITY_BULLETIN_EVENT"]))}. Write UPGRADE_AVAILABLE_EVENT, UPGRADE_EVENT, UPGRADE_INFO_EVENT or SECURITY_BULLETIN_EVENT."
  }
}

variable "backup_agent" {
  description = "Whether Backup for GKE runs in the cluster."
  type        = bool
  default     = false
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether a destroy of the cluster, its node pools or its key is refused. To destroy, apply `false` first."
  type        = bool
  default     = true
  nullable    = false
}

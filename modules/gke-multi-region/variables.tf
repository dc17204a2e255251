variable "project_id" {
  description = "Project the clusters are created in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "\"${var.project_id}\" is not a project id. Write the id, such as \"apex-prod\", and neither the number nor the display name."
  }
}

variable "project_number" {
  description = "Number of that project. Service agents are named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "\"${var.project_number}\" is not a project number. Write the digits, such as \"123456789012\"."
  }
}

variable "name" {
  description = "Prefix of the names of the clusters: the one in europe-west1 is called `<name>-europe-west1`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,14}[a-z0-9])?$", var.name))
    error_message = "\"${var.name}\" cannot be the prefix of the names of clusters. Write at most 16 lower case letters, digits and hyphens that start with a letter and do not end with a hyphen: with the region a name has at most 40."
  }
}

variable "labels" {
  description = "Labels of the clusters, their nodes and keys, and of the features of the fleet."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "network" {
  description = "The network, as module `network` hands it on."
  type        = object({ id = string })
  nullable    = false
}

variable "clusters" {
  description = <<-EOT
    A cluster for each region, with the inputs of module `gke-cluster`: `subnet` is the one of that region, and `maintenance` a
    window that no other region shares. Regions know nothing of each other: one more changes nothing of the others.
  EOT
  type = map(object({
    subnet = object({
      id                  = string
      pods_range_name     = string
      services_range_name = string
    })
    mode  = optional(string, "autopilot")
    zones = optional(set(string))
    node_pools = optional(map(object({
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
    })), {})
    release_channel = optional(string, "REGULAR")
    maintenance = optional(object({
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
    }), {})
    encryption_key = optional(string)
    key_ring = optional(object({
      name            = optional(string)
      rotation_period = optional(string, "7776000s")
    }), {})
    deletion_protection = optional(bool, true)
  }))
  nullable = false

  validation {
    condition     = length(var.clusters) > 0
    error_message = "There is no cluster. Write at least one, such as europe-west1 = { subnet = module.network.subnets[\"europe-west1\"] }."
  }

  validation {
    condition     = alltrue([for region in keys(var.clusters) : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])
    error_message = "Not a region: ${join(", ", [for region in keys(var.clusters) : region if !can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])}. Write the name of a region, such as \"europe-west1\", and not of a zone."
  }

  validation {
    condition     = alltrue([for region, it in var.clusters : !can(regex("/regions/", it.subnet.id)) || strcontains(it.subnet.id, "/regions/${region}/")])
    error_message = "In the subnet of another region: ${join(", ", [for region, it in var.clusters : "${region} (${it.subnet.id})" if can(regex("/regions/", it.subnet.id)) && !strcontains(it.subnet.id, "/regions/${region}/")])}. Write the subnet of the same region, such as module.network.subnets[\"europe-west1\"] for europe-west1."
  }
}

variable "control_plane" {
  description = "Ways to the Kubernetes API of every cluster, as in module `gke-cluster`."
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

variable "security" {
  description = "Security of every cluster, as in module `gke-cluster`."
  type = object({
    posture                = optional(string, "BASIC")
    vulnerability_scanning = optional(string, "VULNERABILITY_DISABLED")
    binary_authorization   = optional(bool, false)
    google_group           = optional(string)
  })
  default  = {}
  nullable = false
}

variable "observability" {
  description = "What every cluster collects beside managed Prometheus, as in module `gke-cluster`."
  type = object({
    logs    = optional(set(string), ["APISERVER", "CONTROLLER_MANAGER", "SCHEDULER", "SYSTEM_COMPONENTS", "WORKLOADS"])
    metrics = optional(set(string), ["APISERVER", "CADVISOR", "CONTROLLER_MANAGER", "DAEMONSET", "DEPLOYMENT", "HPA", "KUBELET", "POD", "SCHEDULER", "STATEFULSET", "STORAGE", "SYSTEM_COMPONENTS"])
  })
  default  = {}
  nullable = false
}

variable "notifications" {
  description = "Pub/Sub topic that every cluster tells of `events`, as in module `gke-cluster`. Null tells nobody."
  type = object({
    topic  = string
    events = optional(set(string), ["SECURITY_BULLETIN_EVENT", "UPGRADE_AVAILABLE_EVENT", "UPGRADE_EVENT"])
  })
  default = null
}

variable "node_roles" {
  description = "Roles in the project that the service accounts of the nodes have beside the least, as in module `gke-cluster`."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "backup_agent" {
  description = "Whether Backup for GKE runs in every cluster."
  type        = bool
  default     = false
  nullable    = false
}

variable "fleet" {
  description = <<-EOT
    The fleet that all clusters join: that of `project_id`, null for the project of the clusters. `multi_cluster_services` lets a
    service be called from every cluster. `config_region` turns on multi-cluster Gateways and says which cluster their objects
    are read from; null leaves them off. With `deletion_protection` a destroy of either feature is refused.
  EOT
  type = object({
    project_id             = optional(string)
    project_number         = optional(string)
    multi_cluster_services = optional(bool, true)
    config_region          = optional(string)
    deletion_protection    = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = (var.fleet.project_id == null) == (var.fleet.project_number == null)
    error_message = "The fleet has only one of project_id and project_number. Write both, or neither for the project of the clusters."
  }

  validation {
    condition     = var.fleet.config_region == null ? true : contains(keys(var.clusters), var.fleet.config_region)
    error_message = "There is no cluster in config_region \"${coalesce(var.fleet.config_region, "null")}\". Write one of ${join(", ", keys(var.clusters))}."
  }

  validation {
    condition     = var.fleet.config_region == null || var.fleet.multi_cluster_services
    error_message = "Multi-cluster Gateways find their backends by multi-cluster services. Leave multi_cluster_services on, or set config_region to null."
  }
}

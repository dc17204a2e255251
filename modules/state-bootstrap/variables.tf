variable "project_id" {
  description = "Project that holds the state and the identities."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "\"${var.project_id}\" is not a project id. Write the id, such as \"apex-prod\", and neither the number nor the display name."
  }
}

variable "project_number" {
  description = "Number of that project. The service agent of Cloud Storage and the workload identity pool are named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "\"${var.project_number}\" is not a project number. Write the digits, such as \"123456789012\"."
  }
}

variable "name" {
  description = "Prefix of the names of what is created."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,19}[a-z0-9])?$", var.name))
    error_message = "\"${var.name}\" cannot be the prefix of resource names. Write at most 21 lower case letters, digits and hyphens that start with a letter and do not end with a hyphen."
  }
}

variable "labels" {
  description = "Labels of the bucket and its key."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "regions" {
  description = "The two regions, on one continent, that the state is kept in. Choose them so that no loss of one region takes both the platform and its state."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.regions) == 2 && alltrue([for region in var.regions : can(regex("^(europe|us|asia)-[a-z]+[0-9]+$", region))])
    error_message = "Regions are ${join(", ", var.regions)}. Write two regions of Europe, the United States or Asia, such as [\"europe-west1\", \"europe-west4\"]."
  }

  validation {
    condition     = length(distinct([for region in var.regions : split("-", region)[0]])) <= 1
    error_message = "${join(" and ", var.regions)} are on different continents, and Cloud Storage pairs regions of one only. Write two regions of Europe, of the United States or of Asia."
  }
}

variable "state_admins" {
  description = "Members who may do anything with the state beside the identities of CI, such as `group:platform-admins@apex.example`. Nobody else gets at it, project owners included."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.state_admins) > 0
    error_message = "Without anybody in state_admins nobody could repair the state, or move it here. Write at least one member, such as \"group:platform-admins@apex.example\"."
  }

  validation {
    condition     = alltrue([for member in var.state_admins : can(regex("^(user|group|serviceAccount):[^@ ]+@[^@ ]+$", member)) || can(regex("^(principal|principalSet)://", member))])
    error_message = "Not a person, a group or an account: ${join(", ", [for member in var.state_admins : member if !can(regex("^(user|group|serviceAccount):[^@ ]+@[^@ ]+$", member)) && !can(regex("^(principal|principalSet)://", member))])}. Write members such as \"group:platform-admins@apex.example\"; nobody opens the state to everybody."
  }
}

variable "bucket" {
  description = <<-EOT
    The bucket of the state. `name` is global (null: project and name with `-tfstate`). An old version is deleted when there are
    `keep_versions` newer ones and it is `keep_days` old; what was deleted can be restored for `soft_delete_days`.
    `turbo_replication` has both regions hold a new state within fifteen minutes.
  EOT
  type = object({
    name              = optional(string)
    keep_versions     = optional(number, 50)
    keep_days         = optional(number, 90)
    soft_delete_days  = optional(number, 30)
    turbo_replication = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$", coalesce(var.bucket.name, "${var.project_id}-${var.name}-tfstate")))
    error_message = "\"${coalesce(var.bucket.name, "${var.project_id}-${var.name}-tfstate")}\" cannot be the name of a bucket. Write 3 to 63 lower case letters, digits, hyphens and underscores."
  }

  validation {
    condition     = var.bucket.keep_versions >= 1 && var.bucket.keep_days >= 1
    error_message = "Nothing to go back to: keep_versions is ${var.bucket.keep_versions}, keep_days is ${var.bucket.keep_days}. Write at least 1 for each."
  }

  validation {
    condition     = var.bucket.soft_delete_days >= 7 && var.bucket.soft_delete_days <= 90
    error_message = "soft_delete_days is ${var.bucket.soft_delete_days}. Write 7 to 90."
  }
}

variable "encryption_key" {
  description = "KMS key that the state is encrypted with, in the multi-region of KMS for the two regions: europe, us or asia. It must let the service agent of Cloud Storage encrypt and decrypt. Null makes a key ring and a key."
  type        = string
  default     = null

  validation {
    condition     = var.encryption_key == null ? true : can(regex("^projects/[^/]+/locations/(europe|us|asia)/keyRings/[^/]+/cryptoKeys/[^/]+$", var.encryption_key))
    error_message = "\"${coalesce(var.encryption_key, "null")}\" is not the id of a key in a multi-region. Write projects/PROJECT/locations/europe/keyRings/RING/cryptoKeys/KEY (or us, or asia), without a version."
  }
}

variable "key_ring" {
  description = "The key ring and key that are made when no `encryption_key` is given. A key ring can never be deleted: give another `name` to start again (null: the name with `-tfstate`)."
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

variable "github" {
  description = <<-EOT
    The one repository whose GitHub Actions get in, by name and by its ids, which nobody can register again (`gh api
    repos/OWNER/NAME --jq '[.id, .owner.id]'`). Any workflow of it may plan. Only one that runs in `environment` on `branch` may
    apply: protect that environment with reviewers, and let only that branch deploy to it. Null lets no workflow in.
  EOT
  type = object({
    repository    = string
    repository_id = string
    owner_id      = string
    environment   = optional(string, "production")
    branch        = optional(string, "main")
  })
  default = null

  validation {
    condition     = var.github == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "\"${try(var.github.repository, "")}\" is not one repository. Write OWNER/NAME, without a wildcard."
  }

  validation {
    condition     = var.github == null ? true : can(regex("^[0-9]+$", var.github.repository_id)) && can(regex("^[0-9]+$", var.github.owner_id))
    error_message = "repository_id is \"${try(var.github.repository_id, "")}\" and owner_id \"${try(var.github.owner_id, "")}\". Write the digits that GitHub's API answers with: a name alone can be registered again by somebody else."
  }

  validation {
    condition     = var.github == null ? true : can(regex("^[A-Za-z0-9_. -]+$", var.github.environment)) && can(regex("^[A-Za-z0-9._/-]+$", var.github.branch))
    error_message = "environment is \"${try(var.github.environment, "")}\" and branch \"${try(var.github.branch, "")}\". Write the names of one environment and of one branch, such as \"production\" and \"main\", without a wildcard."
  }
}

variable "cloud_build" {
  description = "Who may run builds of Cloud Build as the identity that plans, and as the one that applies: those who write triggers. Give triggers that apply an approval. Null lets no build run as either."
  type = object({
    plan_callers  = optional(set(string), [])
    apply_callers = optional(set(string), [])
  })
  default = null

  validation {
    condition     = length(setintersection(setunion(try(var.cloud_build.plan_callers, []), try(var.cloud_build.apply_callers, [])), ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "Builds could be run by everybody. Write members such as \"group:platform-admins@apex.example\"."
  }
}

variable "managed_projects" {
  description = "Projects that the identities plan and apply in. Null is the project of the state alone."
  type        = set(string)
  default     = null

  validation {
    condition     = var.managed_projects == null ? true : length(var.managed_projects) > 0 && alltrue([for project in var.managed_projects : can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", project))])
    error_message = "Projects are ${join(", ", coalesce(var.managed_projects, []))}. Write at least one project id, such as \"apex-prod\", or null."
  }
}

variable "plan_roles" {
  description = "Roles, which only read, of the identity that plans in the managed projects."
  type        = set(string)
  default     = ["roles/iam.securityReviewer", "roles/serviceusage.serviceUsageConsumer", "roles/viewer"]
  nullable    = false

  validation {
    condition     = alltrue([for role in var.plan_roles : !can(regex("(?i)(owner|editor|admin|writer|creator|user|developer)$", role))])
    error_message = "Roles that do more than read: ${join(", ", [for role in var.plan_roles : role if can(regex("(?i)(owner|editor|admin|writer|creator|user|developer)$", role))])}. Any workflow of the repository plans; write roles that read."
  }
}

variable "apply_roles" {
  description = "Roles of the identity that applies in the managed projects. The default is what the modules of this library need."
  type        = set(string)
  default = [
    "roles/certificatemanager.owner",
    "roles/cloudkms.admin",
    "roles/cloudsql.admin",
    "roles/compute.loadBalancerAdmin",
    "roles/compute.networkAdmin",
    "roles/compute.securityAdmin",
    "roles/container.admin",
    "roles/dns.admin",
    "roles/gkehub.admin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountUser",
    "roles/monitoring.editor",
    "roles/resourcemanager.projectIamAdmin",
    "roles/serviceusage.serviceUsageAdmin",
  ]
  nullable = false

  validation {
    condition     = length(setintersection(var.apply_roles, ["roles/owner", "roles/editor"])) == 0
    error_message = "${join(" and ", setintersection(var.apply_roles, ["roles/owner", "roles/editor"]))} would let CI do anything. Write the roles that are needed, such as \"roles/container.admin\"."
  }
}

variable "grantable_roles" {
  description = "Roles that the identity that applies may grant to others and take from them, when `roles/resourcemanager.projectIamAdmin` is among its own: without such a limit it could make itself an owner. At most ten. The default is what the modules of this library grant."
  type        = set(string)
  default = [
    "roles/artifactregistry.reader",
    "roles/cloudsql.client",
    "roles/cloudsql.instanceUser",
    "roles/cloudtrace.agent",
    "roles/compute.networkViewer",
    "roles/container.admin",
    "roles/container.defaultNodeServiceAccount",
    "roles/logging.logWriter",
    "roles/monitoring.metricWriter",
    "roles/monitoring.viewer",
  ]
  nullable = false

  validation {
    condition     = length(var.grantable_roles) >= 1 && length(var.grantable_roles) <= 10
    error_message = "There are ${length(var.grantable_roles)} roles to grant, and IAM takes 1 to 10 in a condition. Write fewer, or grant the others where CI does not."
  }

  validation {
    condition     = length(setintersection(var.grantable_roles, ["roles/owner", "roles/editor", "roles/resourcemanager.projectIamAdmin"])) == 0
    error_message = "Who may grant ${join(" and ", setintersection(var.grantable_roles, ["roles/owner", "roles/editor", "roles/resourcemanager.projectIamAdmin"]))} has it. Write the roles that the modules grant."
  }
}

variable "services" {
  description = "APIs that are enabled in the project, and stay enabled on a destroy. The default is what the modules of this library need."
  type        = set(string)
  default = [
    "certificatemanager.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "dns.googleapis.com",
    "gkehub.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "multiclusteringress.googleapis.com",
    "multiclusterservicediscovery.googleapis.com",
    "servicenetworking.googleapis.com",
    "serviceusage.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
    "trafficdirector.googleapis.com",
  ]
  nullable = false

  validation {
    condition     = alltrue([for service in var.services : can(regex("^[a-z0-9-]+\\.googleapis\\.com$", service))])
    error_message = "Not an API: ${join(", ", [for service in var.services : service if !can(regex("^[a-z0-9-]+\\.googleapis\\.com$", service))])}. Write names such as \"container.googleapis.com\"."
  }

  validation {
    condition     = length(setsubtract(["cloudkms.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com", "storage.googleapis.com", "sts.googleapis.com"], var.services)) == 0
    error_message = "This module itself needs ${join(", ", setsubtract(["cloudkms.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com", "storage.googleapis.com", "sts.googleapis.com"], var.services))}. Add that to services."
  }
}

variable "deletion_protection" {
  description = "Whether a destroy of the bucket, its key, the accounts or the workload identity pool is refused. To destroy, apply `false` first; the bucket must also be empty."
  type        = bool
  default     = true
  nullable    = false
}

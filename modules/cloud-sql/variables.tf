variable "project_id" {
  description = "Project of the instances."
  type        = string
  nullable    = false
}

variable "project_number" {
  description = "Number of the project. Cloud SQL's service agent, which uses the keys, is named by it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "project_number is the number of the project, such as 123456789012, not its id: \"${var.project_number}\" is not a number."
  }
}

variable "name" {
  description = "Prefix of all names: an instance is called `<name>-<region>`. Cloud SQL keeps the name of a deleted instance for a week."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.name))
    error_message = "name must start with a lower-case letter, go on with lower-case letters, digits and hyphens, not end with a hyphen, and have at most 40 characters, so that the region fits behind it: \"${var.name}\" does not."
  }
}

variable "labels" {
  description = "Labels of the instances and keys."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "network" {
  description = "Network the instances have their private addresses in: the output `network` of the module `network`."
  type = object({
    id                          = string
    private_services_connection = string
  })
  nullable = false

  validation {
    condition     = can(regex("^projects/[^/]+/global/networks/[^/]+$", var.network.id))
    error_message = "network.id must be the id of a network, projects/<project>/global/networks/<name>: \"${var.network.id}\" is not."
  }

  validation {
    condition     = var.network.private_services_connection != null
    error_message = "The instances have private addresses only, which needs a private services connection in the network: set private_services_access of the module network, and hand on its output network."
  }
}

variable "instances" {
  description = <<-EOT
    The instances, by region. The map is symmetric: what an instance is (primary, DR replica or replica) is not said here, but by
    `home_region`, `dr_region` and `active_region`.

    - `tier`: machine type, such as `db-perf-optimized-N-4` (Enterprise Plus) or `db-custom-2-8192` (Enterprise).
    - `availability_type`: `REGIONAL` (a standby in another zone) or `ZONAL`. Default: `REGIONAL` where the instance can become the primary, `ZONAL` elsewhere.
    - `disk_size`: size of the disk at first, in GB. It grows by itself.
    - `disk_autoresize_limit`: size in GB beyond which it does not grow; 0 is no limit.
    - `data_cache`: keep data read often on local SSDs. Enterprise Plus only, where it is the default.
    - `encryption_key`: id of a Cloud KMS key in the region that Cloud SQL's service agent may use. Default: a key of its own.
  EOT
  type = map(object({
    tier                  = string
    availability_type     = optional(string)
    disk_size             = optional(number, 100)
    disk_autoresize_limit = optional(number, 0)
    data_cache            = optional(bool)
    encryption_key        = optional(string)
  }))
  nullable = false

  validation {
    condition     = alltrue([for region, _ in var.instances : can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])
    error_message = "The keys of instances are regions, such as us-central1: ${join(", ", [for region, _ in var.instances : region if !can(regex("^[a-z]+-[a-z]+[0-9]+$", region))])} is none."
  }

  validation {
    condition     = alltrue([for _, instance in var.instances : contains(["REGIONAL", "ZONAL"], coalesce(instance.availability_type, "ZONAL"))])
    error_message = "availability_type is REGIONAL or ZONAL. Correct it in ${join(", ", [for region, instance in var.instances : region if !contains(["REGIONAL", "ZONAL"], coalesce(instance.availability_type, "ZONAL"))])}."
  }

  validation {
    condition     = alltrue([for _, instance in var.instances : instance.disk_size >= 10])
    error_message = "A disk has at least 10 GB. Raise disk_size in ${join(", ", [for region, instance in var.instances : region if instance.disk_size < 10])}."
  }

  validation {
    condition     = alltrue([for _, instance in var.instances : instance.disk_autoresize_limit == 0 || instance.disk_autoresize_limit >= instance.disk_size])
    error_message = "disk_autoresize_limit is 0 (no limit) or at least disk_size. Raise it in ${join(", ", [for region, instance in var.instances : region if instance.disk_autoresize_limit != 0 && instance.disk_autoresize_limit < instance.disk_size])}."
  }

  # Cloud SQL refuses these when it creates an instance, which is a quarter of an hour after the plan.
  validation {
    condition     = var.edition != "ENTERPRISE_PLUS" || alltrue([for _, instance in var.instances : !can(regex("^db-(f1-micro|g1-small|custom-|n1-)", instance.tier))])
    error_message = "Enterprise Plus has tiers such as db-perf-optimized-N-2 or db-c4a-highmem-4, and neither shared nor custom ones. Change ${join(", ", [for region, instance in var.instances : "${instance.tier} in ${region}" if can(regex("^db-(f1-micro|g1-small|custom-|n1-)", instance.tier))])}, or set edition = \"ENTERPRISE\"."
  }

  validation {
    condition     = var.edition != "ENTERPRISE" || alltrue([for _, instance in var.instances : !can(regex("^db-(perf-optimized-|c4a-highmem-)", instance.tier))])
    error_message = "Enterprise has tiers such as db-custom-2-8192. Change ${join(", ", [for region, instance in var.instances : "${instance.tier} in ${region}" if can(regex("^db-(perf-optimized-|c4a-highmem-)", instance.tier))])}, or set edition = \"ENTERPRISE_PLUS\"."
  }

  validation {
    condition     = alltrue([for _, instance in var.instances : startswith(instance.tier, "db-")])
    error_message = "A tier starts with db-, such as db-perf-optimized-N-4. Change ${join(", ", [for region, instance in var.instances : "${instance.tier} in ${region}" if !startswith(instance.tier, "db-")])}."
  }

  validation {
    condition     = var.edition == "ENTERPRISE_PLUS" || alltrue([for _, instance in var.instances : instance.data_cache != true])
    error_message = "The data cache needs Enterprise Plus. Remove data_cache in ${join(", ", [for region, instance in var.instances : region if instance.data_cache == true])}, or set edition = \"ENTERPRISE_PLUS\"."
  }

  validation {
    condition     = alltrue([for region, instance in var.instances : instance.encryption_key == null || can(regex("^projects/[^/]+/locations/${region}/keyRings/[^/]+/cryptoKeys/[^/]+$", instance.encryption_key))])
    error_message = "An instance's key is in its region: projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>. Change ${join(", ", [for region, instance in var.instances : "${coalesce(instance.encryption_key, "none")} in ${region}" if !(instance.encryption_key == null || can(regex("^projects/[^/]+/locations/${region}/keyRings/[^/]+/cryptoKeys/[^/]+$", instance.encryption_key)))])}."
  }
}

variable "home_region" {
  description = "Region of the instance that is created first, as the primary. It never changes: where the primary is later is said by `active_region`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(keys(var.instances), var.home_region)
    error_message = "home_region \"${var.home_region}\" has no instance. Name one of the keys of instances, or add an instance there."
  }
}

variable "dr_region" {
  description = "Region of the disaster recovery replica: the one that Cloud SQL switches over to and fails over to, and that `active_region` may name. Null: none, and the primary stays at home."
  type        = string
  default     = null

  validation {
    condition     = var.dr_region == null || contains(keys(var.instances), coalesce(var.dr_region, "none"))
    error_message = "dr_region \"${coalesce(var.dr_region, "none")}\" has no instance. Name one of the keys of instances, or add an instance there."
  }

  validation {
    condition     = var.dr_region != var.home_region
    error_message = "The DR replica must survive the loss of the primary's region: dr_region is another region than home_region, \"${var.home_region}\"."
  }

  validation {
    condition     = var.dr_region == null || var.edition == "ENTERPRISE_PLUS"
    error_message = "A DR replica that can be switched over to needs Enterprise Plus. Set edition = \"ENTERPRISE_PLUS\", or dr_region = null for plain replicas."
  }
}

variable "active_region" {
  description = <<-EOT
    Region of the primary. Null is `home_region`, and leaves all roles alone: the normal state. A name moves the primary there, by a
    switchover in place, unless it is there already. Name `dr_region` once the primary was switched over, or to have Terraform do it;
    name `home_region` to have Terraform switch back, and return to null afterwards.
  EOT
  type        = string
  default     = null

  # Cloud SQL switches over only to the designated DR replica, and after that the old primary is the new one's DR replica: the pair
  # stays the same. Any other replica could only be promoted, which cuts it off from the others.
  validation {
    condition     = var.active_region == null || var.active_region == var.home_region || var.active_region == var.dr_region
    error_message = "active_region is home_region or dr_region: the primary can be switched over to the DR replica and back, and to no other instance. \"${coalesce(var.active_region, "none")}\" is neither."
  }

  validation {
    condition     = var.active_region == null || var.dr_region == null || var.designate_dr_replica
    error_message = "The primary can be moved only when the DR replica is there and designated: create it with active_region = null, then set designate_dr_replica = true."
  }
}

variable "designate_dr_replica" {
  description = <<-EOT
    Whether the DR replica is there, and so the primary names it (`replication_cluster`): false for the apply that creates it, true from then
    on. Cloud SQL accepts the name of an instance only, and the provider sends it only with a change, so it cannot be one apply.
  EOT
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.designate_dr_replica || var.dr_region != null
    error_message = "There is no DR replica to designate: name its region in dr_region, or set designate_dr_replica = false."
  }
}

variable "database_version" {
  description = "Version of PostgreSQL, such as `POSTGRES_17`. The same in all regions."
  type        = string
  default     = "POSTGRES_17"
  nullable    = false

  validation {
    condition     = can(regex("^POSTGRES_(1[2-9]|[2-9][0-9])$", var.database_version))
    error_message = "database_version is PostgreSQL 12 or later, written as POSTGRES_17: \"${var.database_version}\" is not."
  }
}

variable "edition" {
  description = "`ENTERPRISE_PLUS` (DR replica, data cache, maintenance almost without downtime, logs for 35 days) or `ENTERPRISE`. The same in all regions."
  type        = string
  default     = "ENTERPRISE_PLUS"
  nullable    = false

  validation {
    condition     = contains(["ENTERPRISE", "ENTERPRISE_PLUS"], var.edition)
    error_message = "edition is ENTERPRISE_PLUS or ENTERPRISE, not \"${var.edition}\"."
  }
}

variable "backup" {
  description = <<-EOT
    Backups and write-ahead logs of the primary, wherever it is. Point-in-time recovery is always on.

    - `start_time`: when a backup may start, as `HH:MM` in UTC.
    - `location`: region or multi-region of the backups, such as `us`. Null: the multi-region closest to the primary.
    - `retained_backups`: number of backups kept.
    - `transaction_log_retention_days`: how far back point-in-time recovery reaches. Default: 14, or 7 with Enterprise.
  EOT
  type = object({
    start_time                     = optional(string, "03:00")
    location                       = optional(string)
    retained_backups               = optional(number, 15)
    transaction_log_retention_days = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.backup.start_time))
    error_message = "backup.start_time is a time of day in UTC, such as 03:00: \"${var.backup.start_time}\" is not."
  }

  validation {
    condition     = var.backup.retained_backups >= 1 && var.backup.retained_backups <= 365
    error_message = "backup.retained_backups is 1 to 365, not ${var.backup.retained_backups}."
  }

  validation {
    condition     = var.backup.transaction_log_retention_days == null || try(var.backup.transaction_log_retention_days >= 1 && var.backup.transaction_log_retention_days <= (var.edition == "ENTERPRISE_PLUS" ? 35 : 7), false)
    error_message = "backup.transaction_log_retention_days is 1 to ${var.edition == "ENTERPRISE_PLUS" ? 35 : 7} with ${var.edition}, not ${coalesce(var.backup.transaction_log_retention_days, 0)}."
  }

  validation {
    condition     = coalesce(var.backup.transaction_log_retention_days, var.edition == "ENTERPRISE_PLUS" ? 14 : 7) <= var.backup.retained_backups
    error_message = "Logs are of use only from a backup on: backup.retained_backups must be at least the days of logs, ${coalesce(var.backup.transaction_log_retention_days, var.edition == "ENTERPRISE_PLUS" ? 14 : 7)}, not ${var.backup.retained_backups}."
  }
}

variable "maintenance_window" {
  description = "When Cloud SQL may restart the primary: `day` (1 is Monday, 7 Sunday), `hour` in UTC, and `update_track`: `canary` (a week after the notice), `stable` (two weeks) or `week5`. Replicas follow their primary; the DR replica's own is not managed."
  type = object({
    day          = optional(number, 7)
    hour         = optional(number, 3)
    update_track = optional(string, "stable")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([1, 2, 3, 4, 5, 6, 7], var.maintenance_window.day)
    error_message = "maintenance_window.day is 1 (Monday) to 7 (Sunday), not ${var.maintenance_window.day}."
  }

  validation {
    condition     = var.maintenance_window.hour >= 0 && var.maintenance_window.hour <= 23
    error_message = "maintenance_window.hour is 0 to 23, not ${var.maintenance_window.hour}."
  }

  validation {
    condition     = contains(["canary", "stable", "week5"], var.maintenance_window.update_track)
    error_message = "maintenance_window.update_track is canary, stable or week5, not \"${var.maintenance_window.update_track}\"."
  }
}

variable "ssl_mode" {
  description = "`ENCRYPTED_ONLY`, or `TRUSTED_CLIENT_CERTIFICATE_REQUIRED`, with which IAM users connect through the Auth Proxy or a connector only."
  type        = string
  default     = "ENCRYPTED_ONLY"
  nullable    = false

  validation {
    condition     = contains(["ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"], var.ssl_mode)
    error_message = "ssl_mode is ENCRYPTED_ONLY or TRUSTED_CLIENT_CERTIFICATE_REQUIRED, not \"${var.ssl_mode}\": connections are always encrypted."
  }
}

variable "iam_authentication" {
  description = "Let IAM principals log in, as those of `users` with an IAM type."
  type        = bool
  default     = true
  nullable    = false
}

variable "database_flags" {
  description = "Flags of PostgreSQL, by name. The same in all regions: a replica must have at least its primary's `max_connections`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !contains(keys(var.database_flags), "cloudsql.iam_authentication")
    error_message = "Remove cloudsql.iam_authentication from database_flags: the input iam_authentication sets it."
  }
}

variable "query_insights" {
  description = "Query Insights: length of queries kept, plans sampled per minute, and whether application tags and client addresses are recorded. Null: off."
  type = object({
    query_string_length     = optional(number, 1024)
    query_plans_per_minute  = optional(number, 5)
    record_application_tags = optional(bool, true)
    record_client_address   = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.query_insights == null || try(var.query_insights.query_string_length >= 256 && var.query_insights.query_string_length <= 1048576, false)
    error_message = "query_insights.query_string_length is 256 to 1048576 bytes, not ${try(var.query_insights.query_string_length, 0)}."
  }

  validation {
    condition     = var.query_insights == null || try(var.query_insights.query_plans_per_minute >= 0 && var.query_insights.query_plans_per_minute <= 200, false)
    error_message = "query_insights.query_plans_per_minute is 0 to 200, not ${try(var.query_insights.query_plans_per_minute, 0)}."
  }
}

variable "databases" {
  description = "Databases, by name, with their character set and collation."
  type = map(object({
    charset   = optional(string, "UTF8")
    collation = optional(string, "en_US.UTF8")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, _ in var.databases : can(regex("^[A-Za-z_][A-Za-z0-9_-]{0,62}$", name))])
    error_message = "The name of a database is a letter or underscore and up to 62 letters, digits, underscores or hyphens: ${join(", ", [for name, _ in var.databases : name if !can(regex("^[A-Za-z_][A-Za-z0-9_-]{0,62}$", name))])} is not."
  }

  validation {
    condition     = length(setintersection(keys(var.databases), ["postgres", "template0", "template1", "cloudsqladmin"])) == 0
    error_message = "Remove ${join(", ", setintersection(keys(var.databases), ["postgres", "template0", "template1", "cloudsqladmin"]))} from databases: every instance has it."
  }
}

variable "users" {
  description = <<-EOT
    Users, by name. IAM users are named by their e-mail address.

    - `type`: `CLOUD_IAM_SERVICE_ACCOUNT`, `CLOUD_IAM_USER`, `CLOUD_IAM_GROUP`, or `BUILT_IN` for a password, which `passwords` has.
    - `password_version`: with `BUILT_IN`, any number; another number sets the password again.
  EOT
  type = map(object({
    type             = optional(string, "CLOUD_IAM_SERVICE_ACCOUNT")
    password_version = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for _, user in var.users : contains(["BUILT_IN", "CLOUD_IAM_USER", "CLOUD_IAM_GROUP", "CLOUD_IAM_SERVICE_ACCOUNT"], user.type)])
    error_message = "The type of a user is CLOUD_IAM_SERVICE_ACCOUNT, CLOUD_IAM_USER, CLOUD_IAM_GROUP or BUILT_IN. Correct ${join(", ", [for name, user in var.users : name if !contains(["BUILT_IN", "CLOUD_IAM_USER", "CLOUD_IAM_GROUP", "CLOUD_IAM_SERVICE_ACCOUNT"], user.type)])}."
  }

  validation {
    condition     = alltrue([for name, user in var.users : user.type == "BUILT_IN" || can(regex("^[^@]+@[^@]+$", name))])
    error_message = "An IAM user is named by its e-mail address. Correct ${join(", ", [for name, user in var.users : name if user.type != "BUILT_IN" && !can(regex("^[^@]+@[^@]+$", name))])}, or set type = \"BUILT_IN\"."
  }

  validation {
    condition     = alltrue([for _, user in var.users : (user.type == "BUILT_IN") == (user.password_version != null)])
    error_message = "password_version belongs to users of type BUILT_IN, and to each of them. Correct ${join(", ", [for name, user in var.users : name if(user.type == "BUILT_IN") != (user.password_version != null)])}."
  }

  validation {
    condition     = var.iam_authentication || alltrue([for _, user in var.users : user.type == "BUILT_IN"])
    error_message = "IAM users cannot log in without IAM authentication. Set iam_authentication = true, or remove ${join(", ", [for name, user in var.users : name if user.type != "BUILT_IN"])}."
  }
}

variable "passwords" {
  description = "Passwords of the users of type `BUILT_IN`, by name. They are in neither plan nor state, and needed at every plan."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true

  validation {
    condition     = alltrue([for name, user in var.users : user.type != "BUILT_IN" || contains(keys(var.passwords), name)])
    error_message = "Every user of type BUILT_IN has its password in passwords. Add what is missing, or make it an IAM user."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete instances, in Terraform and in Cloud SQL, and databases, in Terraform. Set it to false, and apply that, before a destroy or before a region or database is removed."
  type        = bool
  default     = true
  nullable    = false
}

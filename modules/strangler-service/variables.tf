variable "name" {
  description = "Name of the service, and prefix of what belongs to it: at most 27 lower-case letters, digits and hyphens. Another name is another service."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,25}[a-z0-9])?$", var.name))
    error_message = "The name ${jsonencode(var.name)} must begin with a lower-case letter, go on with lower-case letters, digits and hyphens, end with a letter or digit, and have at most 27 characters: \"-availability\" is appended to it, and 40 is the limit."
  }
}

variable "owner" {
  description = "Team that answers for the service. Null: nobody is named."
  type        = string
  default     = null
}

variable "health_path" {
  description = "Path that answers 200 when a replica can serve."
  type        = string
  default     = "/healthz"
  nullable    = false

  validation {
    condition     = startswith(var.health_path, "/")
    error_message = "The health path ${jsonencode(var.health_path)} must begin with a slash, such as \"/healthz\"."
  }
}

variable "track" {
  description = "Name of the running version, such as `v1`. A new image of the same track is rolled out in place; another track is another deployment."
  type        = string
  default     = "v1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.track))
    error_message = "The track ${jsonencode(var.track)} must begin with a lower-case letter and have at most 40 lower-case letters, digits and hyphens, such as \"v1\"."
  }
}

variable "image" {
  description = "OCI image of the service by digest: `registry.example.com/auth@sha256:…`."
  type        = string
  nullable    = false

  validation {
    condition     = !var.require_digest || can(regex("^.+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "The image ${jsonencode(var.image)} is not given by digest. Write it as REPOSITORY@sha256:DIGEST, or set require_digest = false where a tag will do."
  }
}

variable "require_digest" {
  description = "Refuse an image by tag: what a tag means can change between staging and production."
  type        = bool
  default     = true
  nullable    = false
}

variable "env" {
  description = "Environment variables in all regions."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "regions" {
  description = <<-EOT
    Where the service runs: regions by name.
    `min_replicas`, `max_replicas`: how many always run, and how many at most (default: `min_replicas`).
    `env`: environment variables in this region, over those of all.
  EOT
  type = map(object({
    min_replicas = optional(number, 2)
    max_replicas = optional(number)
    env          = optional(map(string), {})
  }))
  nullable = false

  validation {
    condition     = length(var.regions) > 0
    error_message = "The service must run somewhere: give one region at least, such as { europe-west1 = {} }."
  }

  validation {
    condition     = alltrue([for region in var.regions : region.min_replicas >= 1 && coalesce(region.max_replicas, region.min_replicas) >= region.min_replicas])
    error_message = "Each region needs min_replicas of 1 at least, and a max_replicas that is not smaller. It is otherwise in: ${join(", ", [for name, region in var.regions : name if !(region.min_replicas >= 1 && coalesce(region.max_replicas, region.min_replicas) >= region.min_replicas)])}."
  }
}

variable "monolith" {
  description = <<-EOT
    Who serves the route so far: the base `url` of the monolith, or the `id` of its `deployment` on the platform; exactly one of the two.
    `replace_prefix`: what the monolith sees in place of the route's path prefix.
    Null once the monolith's route is retired: the split is removed, and the service's own path `/NAME` serves.
  EOT
  type = object({
    url            = optional(string)
    deployment     = optional(string)
    replace_prefix = optional(string)
  })
  default = null

  validation {
    condition     = try(length([for to in [var.monolith.url, var.monolith.deployment] : to if to != null]), 1) == 1
    error_message = "The monolith needs either a url or a deployment, and not both: monolith = { url = \"http://monolith.example.internal:8080\" }."
  }

  validation {
    condition     = try(var.monolith.url, null) == null ? true : can(regex("^https?://[^/]+", var.monolith.url))
    error_message = "The monolith's url ${jsonencode(try(var.monolith.url, null))} must be a base URL, such as \"http://monolith.example.internal:8080\"."
  }
}

variable "route" {
  description = <<-EOT
    The requests that move: `path_prefix`, and where it matters `host` and `methods`.
    `path_prefix` is `/NAME` unless it is given.
  EOT
  type = object({
    path_prefix = optional(string)
    host        = optional(string)
    methods     = optional(list(string))
  })
  default  = {}
  nullable = false

  validation {
    condition     = startswith(coalesce(var.route.path_prefix, "/"), "/")
    error_message = "The path prefix ${jsonencode(var.route.path_prefix)} must begin with a slash, such as \"/auth\"."
  }

  validation {
    condition     = var.monolith != null || (coalesce(var.route.path_prefix, "/${var.name}") == "/${var.name}" && var.route.host == null)
    error_message = "Without a monolith there is no split, and only the service's own path \"/${var.name}\" is served, on any host. Keep the monolith for as long as users ask for another route, or leave path_prefix and host out."
  }
}

variable "affinity" {
  description = "What keeps a user at one backend while the weight grows: `key` is `tenant`, `header` or `cookie`, and `name` that of the header or cookie. Null: every request is drawn anew."
  type = object({
    key  = string
    name = optional(string)
  })
  default = { key = "tenant" }

  validation {
    condition     = var.affinity == null ? true : contains(["tenant", "header", "cookie"], var.affinity.key)
    error_message = "The key of the affinity is tenant, header or cookie, not ${jsonencode(try(var.affinity.key, null))}."
  }

  validation {
    condition     = var.affinity == null ? true : var.affinity.key != "header" || var.affinity.name != null
    error_message = "An affinity by header needs the header's name: affinity = { key = \"header\", name = \"X-User\" }."
  }
}

variable "progression" {
  description = <<-EOT
    How the traffic moves. It starts when the module is applied, and goes on without Terraform.
    `revision`: names the run. After a rollback, only another value tries again.
    `steps`: growing weights of the service in percent, up to 100; `hold` is how long a weight stays at least, `gate = "manual"` waits for an approval.
    `interval`, `min_requests`: how often the objectives are looked at, and how many requests that takes.
    `baseline`: how many percentage points worse than the monolith's the service's bad requests may be. 100: the objectives alone decide.
    `on_failure`: `rollback` (all traffic goes back to the monolith) or `pause`.
    `soak`: how long it is watched after the last step.
    `waves`: regions that go one after the other. Empty: all at once.
    `windows`: when steps may be taken. Empty: always.
  EOT
  type = object({
    revision = optional(string, "1")
    steps = optional(list(object({
      weight = number
      hold   = optional(string, "10m")
      gate   = optional(string, "auto")
    })), [{ weight = 1 }, { weight = 5 }, { weight = 25 }, { weight = 50 }, { weight = 100 }])
    interval     = optional(string, "1m")
    min_requests = optional(number, 100)
    baseline     = optional(number, 0.5)
    on_failure   = optional(string, "rollback")
    soak         = optional(string, "1h")
    waves = optional(list(object({
      regions = list(string)
      soak    = optional(string, "30m")
    })), [])
    windows = optional(list(object({
      days     = optional(list(string))
      from     = string
      to       = string
      timezone = optional(string, "UTC")
    })), [])
  })
  default  = {}
  nullable = false

  validation {
    condition = try(
      alltrue([for i, step in var.progression.steps : step.weight == floor(step.weight) && step.weight > (i == 0 ? 0 : var.progression.steps[i - 1].weight)])
      && var.progression.steps[length(var.progression.steps) - 1].weight == 100,
      false,
    )
    error_message = "The weights of the steps must be whole numbers that grow up to 100, such as 1, 5, 25, 50, 100. They are: ${join(", ", [for step in var.progression.steps : step.weight])}."
  }

  validation {
    condition     = alltrue([for step in var.progression.steps : contains(["auto", "manual"], step.gate)])
    error_message = "The gate of a step is auto or manual, not ${join(", ", [for step in var.progression.steps : step.gate if !contains(["auto", "manual"], step.gate)])}."
  }

  validation {
    condition     = contains(["rollback", "pause"], var.progression.on_failure)
    error_message = "on_failure is rollback or pause, not ${jsonencode(var.progression.on_failure)}."
  }

  validation {
    condition     = length(setsubtract(flatten(var.progression.waves[*].regions), keys(var.regions))) == 0
    error_message = "The waves name regions that the service does not run in: ${join(", ", setsubtract(flatten(var.progression.waves[*].regions), keys(var.regions)))}. Add them to regions, or take them out of the waves."
  }

  validation {
    condition     = length(flatten(var.progression.waves[*].regions)) == length(distinct(flatten(var.progression.waves[*].regions)))
    error_message = "Each region goes in one wave. More than one has: ${join(", ", distinct([for region in flatten(var.progression.waves[*].regions) : region if length([for other in flatten(var.progression.waves[*].regions) : other if other == region]) > 1]))}."
  }
}

variable "objectives" {
  description = <<-EOT
    What users may expect of the service. It decides whether the traffic moves on, and makes alerts for Prometheus.
    `availability`: percent of requests with a complete response that is not a server error.
    `latency`: percent (`objective`) of requests that are answered within `threshold`.
    `window`: time over which they must hold.
    `annotations`: of all alerts, such as `runbook`.
  EOT
  type = object({
    availability = optional(number, 99.9)
    latency = optional(object({
      threshold = optional(string, "500ms")
      objective = optional(number, 99)
    }), {})
    window      = optional(string, "720h")
    annotations = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for objective in [var.objectives.availability, var.objectives.latency.objective] : objective >= 50 && objective <= 99.999])
    error_message = "An objective is 50 to 99.999 percent, such as 99.9: 100 leaves nothing to fail. They are: ${var.objectives.availability}, ${var.objectives.latency.objective}."
  }
}

variable "drill" {
  description = <<-EOT
    A rehearsal: one of the service's regions is harmed, and recovery is measured. Applying it runs nothing. Null: none.
    `failover_policy`: name of the policy that saves the service.
    `scenario`: `region_loss`, `database_failover`, `traffic_drain` or `dependency_latency`; `region` is the one that is harmed (default: the policy's preferred one).
    `max_duration`: when a run is aborted and undone.
    `schedule`: `cron` and `timezone` of runs without anybody. Null: only when asked for.
  EOT
  type = object({
    failover_policy = string
    scenario        = optional(string, "traffic_drain")
    region          = optional(string)
    max_duration    = optional(string, "15m")
    schedule = optional(object({
      cron     = string
      timezone = optional(string, "UTC")
    }))
  })
  default = null

  validation {
    condition     = var.drill == null ? true : contains(["region_loss", "database_failover", "traffic_drain", "dependency_latency"], var.drill.scenario)
    error_message = "The scenario ${jsonencode(try(var.drill.scenario, null))} is none: use region_loss, database_failover, traffic_drain or dependency_latency."
  }

  validation {
    condition     = try(var.drill.region, null) == null ? true : contains(keys(var.regions), var.drill.region)
    error_message = "The service does not run in the region ${jsonencode(try(var.drill.region, null))} that the drill would harm. It runs in: ${join(", ", keys(var.regions))}."
  }
}

variable "labels" {
  description = "Labels of all objects."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "project_id" {
  description = "Project of the policies, checks and dashboards. It is the one whose metrics scope has those of all regions."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Prefix of all names."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", var.name))
    error_message = "name must start with a lower-case letter, go on with lower-case letters, digits and hyphens, not end with a hyphen, and have at most 30 characters: \"${var.name}\" does not."
  }
}

variable "labels" {
  description = "Labels of the policies, checks and channels."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "slos" {
  description = <<-EOT
    Service level objectives, by name: resources `synapse_slo` as they are, such as `{ for slo in [synapse_slo.login_errors] : slo.name => slo }`.
    An SLO that alerts names its runbook as `runbook` or `runbook_url` in `alerting.annotations`.
  EOT
  type = map(object({
    service    = string
    window     = optional(string, "720h")
    rules_yaml = string
    alerting   = optional(object({ disabled = optional(bool, false) }), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for _, slo in var.slos : can(yamldecode(slo.rules_yaml).groups)])
    error_message = "rules_yaml is the rule file that synapse_slo compiles, with groups. Hand on the resource's attribute rules_yaml for ${join(", ", [for name, slo in var.slos : name if !can(yamldecode(slo.rules_yaml).groups)])}."
  }

  validation {
    condition = alltrue(flatten([for _, slo in var.slos : [for group in try(yamldecode(slo.rules_yaml).groups, []) : [for rule in group.rules :
      can(regex("^https?://[^ ]+$", try(rule.annotations.runbook_url, rule.annotations.runbook))) if can(rule.alert)
    ]] if !slo.alerting.disabled]))
    error_message = "Who is woken must find out what to do: add the annotation runbook, with the address of a page, to the alerting of ${join(", ", distinct(flatten([for name, slo in var.slos : [for group in try(yamldecode(slo.rules_yaml).groups, []) : [for rule in group.rules : name if can(rule.alert) && !can(regex("^https?://[^ ]+$", try(rule.annotations.runbook_url, rule.annotations.runbook)))]] if !slo.alerting.disabled])))}."
  }
}

variable "alerts" {
  description = <<-EOT
    Further alerts on metrics, by name.

    - `query`: PromQL that has a value when something is wrong.
    - `duration`: how long it must have one, in seconds: `300s`.
    - `severity`: `page`, for somebody now, or `ticket`, for office hours.
    - `summary`: what is wrong, in a sentence.
    - `runbook_url`: what to do about it.
  EOT
  type = map(object({
    query       = string
    duration    = optional(string, "300s")
    severity    = optional(string, "ticket")
    summary     = string
    runbook_url = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for _, alert in var.alerts : can(regex("^https?://[^ ]+$", alert.runbook_url))])
    error_message = "Every alert has a runbook: set runbook_url to the address of a page, https://…, in ${join(", ", [for name, alert in var.alerts : name if !can(regex("^https?://[^ ]+$", alert.runbook_url))])}."
  }

  validation {
    condition     = alltrue([for _, alert in var.alerts : contains(["page", "ticket"], alert.severity)])
    error_message = "The severity of an alert is page or ticket. Correct ${join(", ", [for name, alert in var.alerts : name if !contains(["page", "ticket"], alert.severity)])}."
  }

  validation {
    condition     = alltrue([for _, alert in var.alerts : can(regex("^[0-9]+s$", alert.duration))])
    error_message = "The duration of an alert is a number of seconds, such as 300s. Correct ${join(", ", [for name, alert in var.alerts : name if !can(regex("^[0-9]+s$", alert.duration))])}."
  }

  validation {
    condition     = alltrue([for _, alert in var.alerts : trimspace(alert.query) != ""])
    error_message = "An alert has a query. Add it to ${join(", ", [for name, alert in var.alerts : name if trimspace(alert.query) == ""])}."
  }
}

variable "uptime_checks" {
  description = <<-EOT
    HTTPS checks from outside, by name, each with an alert that pages.

    - `host`, `path`: what is asked for.
    - `period`, `timeout`: how often, and how long to wait.
    - `content`: text that the answer must contain. Null: the status, 200 to 299, is enough.
    - `regions`: where checks come from: at least three of `USA_OREGON`, `USA_IOWA`, `USA_VIRGINIA`, `EUROPE`, `SOUTH_AMERICA`, `ASIA_PACIFIC`.
    - `runbook_url`: what to do when it fails.
  EOT
  type = map(object({
    host        = string
    path        = optional(string, "/healthz")
    period      = optional(string, "60s")
    timeout     = optional(string, "10s")
    content     = optional(string)
    regions     = optional(set(string), ["USA_IOWA", "EUROPE", "ASIA_PACIFIC"])
    runbook_url = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for _, check in var.uptime_checks : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", check.host))])
    error_message = "The host of an uptime check is a domain name without scheme, path or port. Correct ${join(", ", [for name, check in var.uptime_checks : "${name} (\"${check.host}\")" if !can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", check.host))])}."
  }

  validation {
    condition     = alltrue([for _, check in var.uptime_checks : startswith(check.path, "/")])
    error_message = "The path of an uptime check starts with a slash. Correct ${join(", ", [for name, check in var.uptime_checks : "${name} (\"${check.path}\")" if !startswith(check.path, "/")])}."
  }

  validation {
    condition     = alltrue([for _, check in var.uptime_checks : contains(["60s", "300s", "600s", "900s"], check.period)])
    error_message = "The period of an uptime check is 60s, 300s, 600s or 900s. Correct ${join(", ", [for name, check in var.uptime_checks : name if !contains(["60s", "300s", "600s", "900s"], check.period)])}."
  }

  validation {
    condition     = alltrue([for _, check in var.uptime_checks : can(regex("^([1-9]|[1-5][0-9]|60)s$", check.timeout))])
    error_message = "The timeout of an uptime check is 1s to 60s. Correct ${join(", ", [for name, check in var.uptime_checks : name if !can(regex("^([1-9]|[1-5][0-9]|60)s$", check.timeout))])}."
  }

  validation {
    condition     = alltrue([for _, check in var.uptime_checks : length(check.regions) >= 3 && length(setsubtract(check.regions, ["USA_OREGON", "USA_IOWA", "USA_VIRGINIA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC"])) == 0])
    error_message = "An uptime check comes from at least three of USA_OREGON, USA_IOWA, USA_VIRGINIA, EUROPE, SOUTH_AMERICA and ASIA_PACIFIC. Correct ${join(", ", [for name, check in var.uptime_checks : name if length(check.regions) < 3 || length(setsubtract(check.regions, ["USA_OREGON", "USA_IOWA", "USA_VIRGINIA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC"])) > 0])}."
  }

  validation {
    condition     = alltrue([for _, check in var.uptime_checks : can(regex("^https?://[^ ]+$", check.runbook_url))])
    error_message = "Every uptime check has a runbook: set runbook_url to the address of a page, https://…, in ${join(", ", [for name, check in var.uptime_checks : name if !can(regex("^https?://[^ ]+$", check.runbook_url))])}."
  }
}

variable "channels" {
  description = <<-EOT
    Who is notified, by name.

    - `type`: `email`, `pagerduty`, `slack`, `webhook_basicauth` or `pubsub`.
    - `target`: the address of the mailbox, the Slack channel, the webhook's URL or the topic's id. With `pagerduty`, which needs none, null.
    - `username`: with `webhook_basicauth`.
    - `severities`: what it is notified of: `page`, `ticket` or both.
    - `secret_version`: with `pagerduty`, `slack` and `webhook_basicauth`, whose secret `channel_secrets` has: any number; another number sets the secret again.
  EOT
  type = map(object({
    type           = string
    target         = optional(string)
    username       = optional(string)
    severities     = optional(set(string), ["page", "ticket"])
    secret_version = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for _, channel in var.channels : contains(["email", "pagerduty", "slack", "webhook_basicauth", "pubsub"], channel.type)])
    error_message = "The type of a channel is email, pagerduty, slack, webhook_basicauth or pubsub. Correct ${join(", ", [for name, channel in var.channels : name if !contains(["email", "pagerduty", "slack", "webhook_basicauth", "pubsub"], channel.type)])}. A URL with a token in it would be in the state: use webhook_basicauth for webhooks."
  }

  validation {
    condition = alltrue([for _, channel in var.channels : can(regex(lookup({
      email = "^[^@ ]+@[^@ ]+$", slack = "^#", webhook_basicauth = "^https://[^ ]+$", pubsub = "^projects/[^/]+/topics/[^/]+$", pagerduty = "^$"
    }, channel.type, ""), coalesce(channel.target, " ") == " " ? "" : channel.target))])
    error_message = "The target of an email channel is an address, of slack a channel with its #, of webhook_basicauth a URL with https, of pubsub the id of a topic; pagerduty has none. Correct ${join(", ", [for name, channel in var.channels : name if !can(regex(lookup({ email = "^[^@ ]+@[^@ ]+$", slack = "^#", webhook_basicauth = "^https://[^ ]+$", pubsub = "^projects/[^/]+/topics/[^/]+$", pagerduty = "^$" }, channel.type, ""), coalesce(channel.target, " ") == " " ? "" : channel.target))])}."
  }

  validation {
    condition     = alltrue([for _, channel in var.channels : (channel.type == "webhook_basicauth") == (channel.username != null)])
    error_message = "username belongs to channels of type webhook_basicauth, and to each of them. Correct ${join(", ", [for name, channel in var.channels : name if(channel.type == "webhook_basicauth") != (channel.username != null)])}."
  }

  validation {
    condition     = alltrue([for _, channel in var.channels : length(channel.severities) > 0 && length(setsubtract(channel.severities, ["page", "ticket"])) == 0])
    error_message = "The severities of a channel are page, ticket or both. Correct ${join(", ", [for name, channel in var.channels : name if length(channel.severities) == 0 || length(setsubtract(channel.severities, ["page", "ticket"])) > 0])}."
  }

  validation {
    condition     = alltrue([for _, channel in var.channels : contains(["pagerduty", "slack", "webhook_basicauth"], channel.type) == (channel.secret_version != null)])
    error_message = "secret_version belongs to channels with a secret (pagerduty, slack, webhook_basicauth), and to each of them. Correct ${join(", ", [for name, channel in var.channels : name if contains(["pagerduty", "slack", "webhook_basicauth"], channel.type) != (channel.secret_version != null)])}."
  }
}

variable "channel_secrets" {
  description = "Secrets of the channels, by name: PagerDuty's integration key, Slack's token, the webhook's password. They are in neither plan nor state, and needed at every plan."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true

  validation {
    condition     = alltrue([for name, channel in var.channels : channel.secret_version == null || contains(keys(var.channel_secrets), name)])
    error_message = "Every channel of type pagerduty, slack or webhook_basicauth has its secret in channel_secrets. Add what is missing."
  }
}

variable "rules" {
  description = <<-EOT
    Managed Prometheus rules in the clusters.

    - `kind`: `GlobalRules` (over the metrics of all clusters: install them in one), `ClusterRules` (of the cluster) or `Rules` (of the namespace).
    - `namespace`: of `Rules`.
    - `interval`: how often they are evaluated.
    - `alerts`: write alert rules too, for an Alertmanager in the cluster. They are alert policies already: who has both is woken twice.
  EOT
  type = object({
    kind      = optional(string, "GlobalRules")
    namespace = optional(string)
    interval  = optional(string, "30s")
    alerts    = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["GlobalRules", "ClusterRules", "Rules"], var.rules.kind)
    error_message = "rules.kind is GlobalRules, ClusterRules or Rules, not \"${var.rules.kind}\"."
  }

  validation {
    condition     = (var.rules.kind == "Rules") == (var.rules.namespace != null)
    error_message = "rules.namespace belongs to the kind Rules, and only to it: GlobalRules and ClusterRules are in no namespace."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*(s|m)$", var.rules.interval))
    error_message = "rules.interval is a time such as 30s or 1m, not \"${var.rules.interval}\"."
  }
}

variable "scrape" {
  description = "Pods whose metrics managed Prometheus collects, by name: namespace, labels that select them, port, path and interval."
  type = map(object({
    namespace = string
    selector  = map(string)
    port      = string
    path      = optional(string, "/metrics")
    interval  = optional(string, "30s")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for _, pods in var.scrape : length(pods.selector) > 0])
    error_message = "Without labels a selector is that of all pods in the namespace: add some to ${join(", ", [for name, pods in var.scrape : name if length(pods.selector) == 0])}."
  }

  validation {
    condition     = alltrue([for _, pods in var.scrape : can(regex("^[1-9][0-9]*(s|m)$", pods.interval))])
    error_message = "The interval of a scrape is a time such as 30s or 1m. Correct ${join(", ", [for name, pods in var.scrape : name if !can(regex("^[1-9][0-9]*(s|m)$", pods.interval))])}."
  }

  validation {
    condition     = alltrue([for name, _ in var.scrape : can(regex("^[a-z]([a-z0-9-]{0,51}[a-z0-9])?$", name))])
    error_message = "The names in scrape are lower-case letters, digits and hyphens: ${join(", ", [for name, _ in var.scrape : name if !can(regex("^[a-z]([a-z0-9-]{0,51}[a-z0-9])?$", name))])} is not."
  }
}

variable "collector" {
  description = <<-EOT
    OpenTelemetry collector in each cluster, which receives OTLP and sends traces, metrics and logs to Google Cloud. Null: none.

    - `namespace`, `replicas`: of its deployment.
    - `image`: by digest or tag, of a distribution with the Google Cloud exporters.
    - `google_service_account`: e-mail address of what it acts as, through Workload Identity. It needs to write traces, metrics and logs.
    - `sampling_percentage`: share of traces kept, in percent.
  EOT
  type = object({
    namespace              = optional(string, "observability")
    replicas               = optional(number, 2)
    image                  = optional(string, "us-docker.pkg.dev/cloud-ops-agents-artifacts/google-cloud-opentelemetry-collector/otelcol-google:0.136.0")
    google_service_account = string
    sampling_percentage    = optional(number, 10)
  })
  default = null

  validation {
    condition     = var.collector == null || can(regex("^[^@]+@[^@]+\\.iam\\.gserviceaccount\\.com$", var.collector.google_service_account))
    error_message = "collector.google_service_account is the e-mail address of a service account, <name>@<project>.iam.gserviceaccount.com: \"${try(var.collector.google_service_account, "")}\" is not."
  }

  validation {
    condition     = var.collector == null || try(var.collector.replicas >= 2, false)
    error_message = "With fewer than 2 replicas telemetry is lost whenever a node is upgraded: set collector.replicas to at least 2, not ${try(var.collector.replicas, 0)}."
  }

  validation {
    condition     = var.collector == null || try(var.collector.sampling_percentage > 0 && var.collector.sampling_percentage <= 100, false)
    error_message = "collector.sampling_percentage is above 0, up to 100, not ${try(var.collector.sampling_percentage, 0)}."
  }

  validation {
    condition     = var.collector == null || can(regex("[:@][^/]+$", var.collector.image))
    error_message = "collector.image names a tag or digest, so that the collector changes only when it is said: \"${try(var.collector.image, "")}\" does not."
  }
}

locals {
  # Policies are evaluated over the metrics of all clusters, so they must not depend on the one cluster that records: what a rule
  # records over at most a day is written out in its place. The longer ones, further back than a policy may look, are read; of these
  # the labels that recording adds are dropped, so that they match the others.
  tokens = { for key, alert in local.burn_alerts : key => regexall("slo:sli_error:ratio_rate[0-9a-z]+\\{[^}]*\\}|[^s]+|s", try(local.burns[alert.slo][alert.severity].expr, "")) }
  queries = { for key, alert in local.burn_alerts : key => join("", [for token in local.tokens[key] :
    !startswith(token, "slo:sli_error:") ? token :
    can(regex("ratio_rate(5m|30m|1h|2h|6h|1d)\\{", token)) ? "(${trimspace(local.recordings[alert.slo][split("{", token)[0]])})" : "max(${token})"
  ]) }

  burn_policies = { for key, alert in local.burn_alerts : key => {
    query    = trimspace(local.queries[key])
    duration = "0s"
    severity = alert.severity
    name     = "${alert.slo}: error budget burns${alert.severity == "page" ? " fast" : ""}"
    summary  = try(local.burns[alert.slo][alert.severity].annotations.summary, "")
    runbook  = try(local.burns[alert.slo][alert.severity].annotations.runbook_url, local.burns[alert.slo][alert.severity].annotations.runbook, "")
    labels   = { synapse_slo = alert.slo, synapse_service = var.slos[alert.slo].service }
  } }
  alert_policies = { for name, alert in var.alerts : "alert/${name}" => {
    query    = trimspace(alert.query)
    duration = alert.duration
    severity = alert.severity
    name     = name
    summary  = alert.summary
    runbook  = alert.runbook_url
    labels   = {}
  } }
  # Two of the places a check comes from must agree that it fails: one alone is as often the fault of the way.
  uptime_policies = { for name, check in var.uptime_checks : "uptime/${name}" => {
    query    = "count(\n  {\"monitoring.googleapis.com/uptime_check/check_passed\", monitored_resource=\"uptime_url\", check_id=\"${google_monitoring_uptime_check_config.this[name].uptime_check_id}\"} == 0\n) >= 2"
    duration = check.period
    severity = "page"
    name     = "${name}: not reached"
    summary  = "https://${check.host}${check.path} is not reached from at least two places."
    runbook  = check.runbook_url
    labels   = {}
  } }
  policies = merge(local.burn_policies, local.alert_policies, local.uptime_policies)
}

resource "google_monitoring_alert_policy" "this" {
  # By the keys of inputs, since the rules and checks are not known before they are created.
  for_each = toset(concat(keys(local.burn_alerts), [for name, _ in var.alerts : "alert/${name}"], [for name, _ in var.uptime_checks : "uptime/${name}"]))

  project               = var.project_id
  display_name          = "${var.name} ${local.policies[each.key].name}"
  combiner              = "OR"
  enabled               = true
  severity              = local.severities[local.policies[each.key].severity]
  notification_channels = local.notified[local.policies[each.key].severity]
  user_labels           = merge(var.labels, local.policies[each.key].labels)

  conditions {
    display_name = local.policies[each.key].name

    condition_prometheus_query_language {
      query               = local.policies[each.key].query
      duration            = local.policies[each.key].duration
      evaluation_interval = "60s"

      # A policy is created before the first request is counted.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED", "CLOSED"]
  }

  documentation {
    subject   = "${var.name} ${local.policies[each.key].name}"
    content   = "${local.policies[each.key].summary}\n\n[Runbook](${local.policies[each.key].runbook})"
    mime_type = "text/markdown"

    links {
      display_name = "Runbook"
      url          = local.policies[each.key].runbook
    }
  }

  lifecycle {
    precondition {
      condition     = local.policies[each.key].query != ""
      error_message = "The rules of SLO ${split("/", each.key)[0]} have no alert for a ${local.policies[each.key].severity}: is its window what slos says? Hand on the resource synapse_slo as it is."
    }
  }
}

resource "google_monitoring_uptime_check_config" "this" {
  for_each = var.uptime_checks

  project            = var.project_id
  display_name       = "${var.name} ${each.key}"
  period             = each.value.period
  timeout            = each.value.timeout
  selected_regions   = sort(each.value.regions)
  checker_type       = "STATIC_IP_CHECKERS"
  log_check_failures = true
  user_labels        = var.labels

  http_check {
    request_method = "GET"
    path           = each.value.path
    port           = 443
    use_ssl        = true
    validate_ssl   = true
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = each.value.host
    }
  }

  dynamic "content_matchers" {
    for_each = each.value.content == null ? {} : { this = each.value.content }

    content {
      content = content_matchers.value
      matcher = "CONTAINS_STRING"
    }
  }

  lifecycle {
    # A check that a policy names cannot be deleted, and host and period cannot be changed.
    create_before_destroy = true
  }
}

mock_provider "google" {
  mock_resource "google_monitoring_notification_channel" {
    defaults = { id = "projects/apex-prod/notificationChannels/1" }
  }

  mock_resource "google_monitoring_uptime_check_config" {
    defaults = {
      id              = "projects/apex-prod/uptimeCheckConfigs/login-1"
      uptime_check_id = "login-1"
    }
  }
}

variables {
  project_id = "apex-prod"
  name       = "apex"
  slos = {
    login-errors  = { service = "auth", rules_yaml = file("tests/login-errors.rules.yaml") }
    login-latency = { service = "auth", window = "6h", rules_yaml = file("tests/login-latency.rules.yaml") }
    orders-errors = { service = "orders", rules_yaml = file("tests/orders-errors.rules.yaml"), alerting = { disabled = true } }
  }
  alerts = {
    replication-lag = {
      query       = "max by (database_id) (cloudsql_googleapis_com:database_replication_replica_lag) > 60"
      severity    = "page"
      summary     = "The DR replica is more than a minute behind."
      runbook_url = "https://runbooks.example.com/replication-lag"
    }
  }
  uptime_checks = {
    login = { host = "login.example.com", content = "ok", runbook_url = "https://runbooks.example.com/login" }
  }
  channels = {
    oncall  = { type = "pagerduty", severities = ["page"], secret_version = 1 }
    mailbox = { type = "email", target = "platform@example.com" }
  }
  channel_secrets = { oncall = "0123456789abcdef" }
}

run "alerts_by_policies" {
  assert {
    condition     = keys(google_monitoring_alert_policy.this) == ["alert/replication-lag", "login-errors/page", "login-errors/ticket", "login-latency/page", "uptime/login"]
    error_message = "There must be a policy for each alert of the rules and no other: none for an SLO that does not alert, and none that waits where the window is too short."
  }

  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.this : startswith(policy.documentation[0].links[0].url, "https://runbooks.example.com/") && strcontains(policy.documentation[0].content, policy.documentation[0].links[0].url)])
    error_message = "Every policy must link its runbook."
  }

  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.this : policy.enabled && policy.combiner == "OR" && policy.conditions[0].condition_prometheus_query_language[0].disable_metric_validation])
    error_message = "A policy must be there before its metrics are."
  }

  assert {
    condition     = google_monitoring_alert_policy.this["login-errors/page"].severity == "CRITICAL" && google_monitoring_alert_policy.this["login-errors/ticket"].severity == "WARNING"
    error_message = "The severity must follow from how fast the budget burns."
  }

  assert {
    condition     = length(google_monitoring_alert_policy.this["login-errors/page"].notification_channels) == 2 && length(google_monitoring_alert_policy.this["login-errors/ticket"].notification_channels) == 1
    error_message = "Nobody must be woken by what can wait."
  }
}

run "writes_out_what_is_recorded" {
  assert {
    condition     = !strcontains(google_monitoring_alert_policy.this["login-errors/page"].conditions[0].condition_prometheus_query_language[0].query, "slo:") && !strcontains(google_monitoring_alert_policy.this["login-latency/page"].conditions[0].condition_prometheus_query_language[0].query, "slo:")
    error_message = "A policy that pages must not depend on a cluster that records."
  }

  assert {
    condition     = strcontains(replace(google_monitoring_alert_policy.this["login-errors/page"].conditions[0].condition_prometheus_query_language[0].query, "\n", " "), "max without(synapse_window) ((sum(rate(synapse_gateway_requests_total{service=\"auth\", exported_service=\"\", status=~\"5xx|abandoned|broken\"}[1h])) / (sum(rate(synapse_gateway_requests_total{service=\"auth\", exported_service=\"\", status!=\"none\"}[1h])) > 0)) > (14.4 * 0.001))")
    error_message = "The share of bad requests must be in the place of what is recorded."
  }

  assert {
    condition     = regexall("slo:[^{]*", google_monitoring_alert_policy.this["login-errors/ticket"].conditions[0].condition_prometheus_query_language[0].query) == tolist(["slo:sli_error:ratio_rate3d"]) && strcontains(google_monitoring_alert_policy.this["login-errors/ticket"].conditions[0].condition_prometheus_query_language[0].query, "(max(slo:sli_error:ratio_rate3d{synapse_slo=\"login-errors\", synapse_service=\"auth\"}) > (1 * 0.001))")
    error_message = "What reaches further back than a day must be read as recorded."
  }
}

run "keeps_secrets_out_of_the_state" {
  assert {
    condition     = google_monitoring_notification_channel.this["oncall"].sensitive_labels[0].service_key_wo == null && google_monitoring_notification_channel.this["oncall"].sensitive_labels[0].service_key == null
    error_message = "PagerDuty's key must not be in the state."
  }

  assert {
    condition     = google_monitoring_notification_channel.this["mailbox"].labels["email_address"] == "platform@example.com" && length(google_monitoring_notification_channel.this["mailbox"].sensitive_labels) == 0
    error_message = "A mailbox must have its address and no secret."
  }
}

run "checks_over_tls" {
  assert {
    condition     = google_monitoring_uptime_check_config.this["login"].http_check[0].use_ssl && google_monitoring_uptime_check_config.this["login"].http_check[0].validate_ssl && google_monitoring_uptime_check_config.this["login"].monitored_resource[0].labels["host"] == "login.example.com"
    error_message = "An uptime check must be made over TLS, and look at the certificate."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.this["uptime/login"].conditions[0].condition_prometheus_query_language[0].query, "check_id=\"login-1\"")
    error_message = "The check's alert must be on that check."
  }
}

run "draws_a_dashboard_for_each_service" {
  assert {
    condition     = keys(google_monitoring_dashboard.this) == ["auth", "orders"] && keys(output.grafana_dashboards) == ["auth", "orders"]
    error_message = "There must be a dashboard for each service."
  }

  assert {
    condition     = [for tile in jsondecode(google_monitoring_dashboard.this["auth"].dashboard_json).mosaicLayout.tiles : tile.widget.title] == ["Requests by region", "Share of bad requests", "Latency, 50 %", "Latency, 99 %", "login-errors: budget left", "login-errors: burn rate", "login-latency: budget left", "login-latency: burn rate"]
    error_message = "A service's dashboard must show its requests and each of its SLOs."
  }

  assert {
    condition     = [for panel in jsondecode(output.grafana_dashboards["auth"]).panels : panel.targets[0].expr] == [for tile in jsondecode(google_monitoring_dashboard.this["auth"].dashboard_json).mosaicLayout.tiles : tile.widget.xyChart.dataSets[0].timeSeriesQuery.prometheusQuery]
    error_message = "Grafana and Cloud Monitoring must show the same."
  }

  assert {
    condition     = length(distinct([for tile in jsondecode(google_monitoring_dashboard.this["auth"].dashboard_json).mosaicLayout.tiles : "${try(tile.xPos, 0)} ${try(tile.yPos, 0)}"])) == 8
    error_message = "No graph must lie upon another."
  }
}

run "refuses_rules_without_the_alert_that_is_due" {
  command = plan

  variables {
    slos = { login-latency = { service = "auth", window = "720h", rules_yaml = file("tests/login-latency.rules.yaml") } }
  }

  expect_failures = [google_monitoring_alert_policy.this]
}

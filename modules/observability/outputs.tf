output "manifests" {
  description = "What goes into the clusters, as YAML, by name: `rules-<slo>`, `scrape-<name>` and `collector`. With `GlobalRules`, install the rules in one cluster."
  value       = merge(local.rules_manifests, local.scrape_manifests, local.collector_manifests)
}

output "collector_config" {
  description = "Configuration of the OpenTelemetry collector, as YAML. Null without a collector."
  value       = try(local.collector_configs.this, null)
}

output "collector_endpoint" {
  description = "Where pods send OTLP over gRPC. Null without a collector."
  value       = var.collector == null ? null : "${local.collector_name}.${var.collector.namespace}.svc:4317"
}

output "grafana_dashboards" {
  description = "Dashboards for Grafana, as JSON, by service."
  value       = local.grafana_dashboards
}

output "dashboards" {
  description = "Ids of the dashboards in Cloud Monitoring, by service."
  value       = { for service, dashboard in google_monitoring_dashboard.this : service => dashboard.id }
}

output "alert_policies" {
  description = "Ids of the alert policies: `<slo>/page`, `<slo>/ticket`, `alert/<name>` and `uptime/<name>`."
  value       = { for name, policy in google_monitoring_alert_policy.this : name => policy.id }
}

output "uptime_checks" {
  description = "Ids of the uptime checks, by name."
  value       = { for name, check in google_monitoring_uptime_check_config.this : name => check.id }
}

output "channels" {
  description = "Ids of the notification channels, by name."
  value       = { for name, channel in google_monitoring_notification_channel.this : name => channel.id }
}

locals {
  channel_labels = { for name, channel in var.channels : name => merge(
    channel.type == "email" ? { email_address = channel.target } : {},
    channel.type == "slack" ? { channel_name = channel.target } : {},
    channel.type == "webhook_basicauth" ? { url = channel.target, username = channel.username } : {},
    channel.type == "pubsub" ? { topic = channel.target } : {},
  ) }

  notified = { for severity in keys(local.severities) : severity => [
    for name, channel in var.channels : google_monitoring_notification_channel.this[name].id if contains(channel.severities, severity)
  ] }
}

resource "google_monitoring_notification_channel" "this" {
  for_each = var.channels

  project      = var.project_id
  display_name = "${var.name} ${each.key}"
  type         = each.value.type
  labels       = local.channel_labels[each.key]
  user_labels  = var.labels
  enabled      = true

  dynamic "sensitive_labels" {
    for_each = each.value.secret_version == null ? {} : { this = each.value.secret_version }

    content {
      service_key_wo         = each.value.type == "pagerduty" ? lookup(var.channel_secrets, each.key, null) : null
      service_key_wo_version = each.value.type == "pagerduty" ? sensitive_labels.value : null
      auth_token_wo          = each.value.type == "slack" ? lookup(var.channel_secrets, each.key, null) : null
      auth_token_wo_version  = each.value.type == "slack" ? sensitive_labels.value : null
      password_wo            = each.value.type == "webhook_basicauth" ? lookup(var.channel_secrets, each.key, null) : null
      password_wo_version    = each.value.type == "webhook_basicauth" ? sensitive_labels.value : null
    }
  }
}

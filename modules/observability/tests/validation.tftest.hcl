mock_provider "google" {}

variables {
  project_id      = "apex-prod"
  name            = "apex"
  channel_secrets = {}
}

run "refuses_name_that_is_no_label" {
  command = plan

  variables {
    name = "Apex"
  }

  expect_failures = [var.name]
}

run "refuses_rules_that_are_no_rule_file" {
  command = plan

  variables {
    slos = { login = { service = "auth", rules_yaml = "no rules" } }
  }

  expect_failures = [var.slos]
}

run "refuses_slo_whose_alerts_have_no_runbook" {
  command = plan

  variables {
    slos = { orders-errors = { service = "orders", rules_yaml = file("tests/orders-errors.rules.yaml") } }
  }

  expect_failures = [var.slos]
}

run "refuses_alert_without_a_runbook" {
  command = plan

  variables {
    alerts = { lag = { query = "up == 0", summary = "Behind.", runbook_url = "" } }
  }

  expect_failures = [var.alerts]
}

run "refuses_runbook_that_is_no_address" {
  command = plan

  variables {
    alerts = { lag = { query = "up == 0", summary = "Behind.", runbook_url = "ask Ada" } }
  }

  expect_failures = [var.alerts]
}

run "refuses_severity_there_is_not" {
  command = plan

  variables {
    alerts = { lag = { query = "up == 0", severity = "urgent", summary = "Behind.", runbook_url = "https://runbooks.example.com/lag" } }
  }

  expect_failures = [var.alerts]
}

run "refuses_duration_that_is_not_in_seconds" {
  command = plan

  variables {
    alerts = { lag = { query = "up == 0", duration = "5m", summary = "Behind.", runbook_url = "https://runbooks.example.com/lag" } }
  }

  expect_failures = [var.alerts]
}

run "refuses_alert_without_a_query" {
  command = plan

  variables {
    alerts = { lag = { query = " ", summary = "Behind.", runbook_url = "https://runbooks.example.com/lag" } }
  }

  expect_failures = [var.alerts]
}

run "refuses_url_for_a_host" {
  command = plan

  variables {
    uptime_checks = { login = { host = "https://login.example.com/", runbook_url = "https://runbooks.example.com/login" } }
  }

  expect_failures = [var.uptime_checks]
}

run "refuses_path_without_a_slash" {
  command = plan

  variables {
    uptime_checks = { login = { host = "login.example.com", path = "healthz", runbook_url = "https://runbooks.example.com/login" } }
  }

  expect_failures = [var.uptime_checks]
}

run "refuses_period_there_is_not" {
  command = plan

  variables {
    uptime_checks = { login = { host = "login.example.com", period = "30s", runbook_url = "https://runbooks.example.com/login" } }
  }

  expect_failures = [var.uptime_checks]
}

run "refuses_timeout_that_is_too_long" {
  command = plan

  variables {
    uptime_checks = { login = { host = "login.example.com", timeout = "61s", runbook_url = "https://runbooks.example.com/login" } }
  }

  expect_failures = [var.uptime_checks]
}

run "refuses_check_from_too_few_places" {
  command = plan

  variables {
    uptime_checks = { login = { host = "login.example.com", regions = ["EUROPE"], runbook_url = "https://runbooks.example.com/login" } }
  }

  expect_failures = [var.uptime_checks]
}

run "refuses_check_from_a_place_there_is_not" {
  command = plan

  variables {
    uptime_checks = { login = { host = "login.example.com", regions = ["USA", "EUROPE", "ASIA_PACIFIC"], runbook_url = "https://runbooks.example.com/login" } }
  }

  expect_failures = [var.uptime_checks]
}

run "refuses_uptime_check_without_a_runbook" {
  command = plan

  variables {
    uptime_checks = { login = { host = "login.example.com", runbook_url = "" } }
  }

  expect_failures = [var.uptime_checks]
}

run "refuses_channel_whose_url_has_a_token" {
  command = plan

  variables {
    channels = { oncall = { type = "webhook_tokenauth" } }
  }

  expect_failures = [var.channels]
}

run "refuses_mailbox_without_an_address" {
  command = plan

  variables {
    channels = { oncall = { type = "email" } }
  }

  expect_failures = [var.channels]
}

run "refuses_webhook_in_the_clear" {
  command = plan

  variables {
    channels        = { oncall = { type = "webhook_basicauth", target = "http://hooks.example.com", username = "apex", secret_version = 1 } }
    channel_secrets = { oncall = "s" }
  }

  expect_failures = [var.channels]
}

run "refuses_webhook_without_a_user" {
  command = plan

  variables {
    channels        = { oncall = { type = "webhook_basicauth", target = "https://hooks.example.com", secret_version = 1 } }
    channel_secrets = { oncall = "s" }
  }

  expect_failures = [var.channels]
}

run "refuses_channel_of_no_severity" {
  command = plan

  variables {
    channels = { oncall = { type = "email", target = "a@example.com", severities = [] } }
  }

  expect_failures = [var.channels]
}

run "refuses_channel_of_a_severity_there_is_not" {
  command = plan

  variables {
    channels = { oncall = { type = "email", target = "a@example.com", severities = ["urgent"] } }
  }

  expect_failures = [var.channels]
}

run "refuses_secret_of_a_mailbox" {
  command = plan

  variables {
    channels        = { oncall = { type = "email", target = "a@example.com", secret_version = 1 } }
    channel_secrets = { oncall = "s" }
  }

  expect_failures = [var.channels]
}

run "refuses_pagerduty_without_a_version" {
  command = plan

  variables {
    channels = { oncall = { type = "pagerduty" } }
  }

  expect_failures = [var.channels]
}

run "refuses_pagerduty_without_its_key" {
  command = plan

  variables {
    channels = { oncall = { type = "pagerduty", secret_version = 1 } }
  }

  expect_failures = [var.channel_secrets]
}

run "refuses_kind_of_rules_there_is_not" {
  command = plan

  variables {
    rules = { kind = "PrometheusRule" }
  }

  expect_failures = [var.rules]
}

run "refuses_rules_without_their_namespace" {
  command = plan

  variables {
    rules = { kind = "Rules" }
  }

  expect_failures = [var.rules]
}

run "refuses_global_rules_in_a_namespace" {
  command = plan

  variables {
    rules = { namespace = "synapse" }
  }

  expect_failures = [var.rules]
}

run "refuses_interval_of_rules_without_a_unit" {
  command = plan

  variables {
    rules = { interval = "30" }
  }

  expect_failures = [var.rules]
}

run "refuses_selector_of_all_pods" {
  command = plan

  variables {
    scrape = { gateways = { namespace = "synapse", selector = {}, port = "metrics" } }
  }

  expect_failures = [var.scrape]
}

run "refuses_interval_of_a_scrape_without_a_unit" {
  command = plan

  variables {
    scrape = { gateways = { namespace = "synapse", selector = { app = "gateway" }, port = "metrics", interval = "30" } }
  }

  expect_failures = [var.scrape]
}

run "refuses_scrape_with_a_name_that_is_no_label" {
  command = plan

  variables {
    scrape = { Gate_Ways = { namespace = "synapse", selector = { app = "gateway" }, port = "metrics" } }
  }

  expect_failures = [var.scrape]
}

run "refuses_collector_without_a_service_account" {
  command = plan

  variables {
    collector = { google_service_account = "ada@example.com" }
  }

  expect_failures = [var.collector]
}

run "refuses_collector_that_is_one_pod" {
  command = plan

  variables {
    collector = { google_service_account = "collector@apex-prod.iam.gserviceaccount.com", replicas = 1 }
  }

  expect_failures = [var.collector]
}

run "refuses_collector_that_keeps_no_traces" {
  command = plan

  variables {
    collector = { google_service_account = "collector@apex-prod.iam.gserviceaccount.com", sampling_percentage = 0 }
  }

  expect_failures = [var.collector]
}

run "refuses_collector_of_any_version" {
  command = plan

  variables {
    collector = { google_service_account = "collector@apex-prod.iam.gserviceaccount.com", image = "registry.example.com/otelcol" }
  }

  expect_failures = [var.collector]
}

mock_provider "google" {}

variables {
  project_id      = "apex-prod"
  name            = "apex"
  channel_secrets = {}
  slos = {
    login-errors = { service = "auth", rules_yaml = file("tests/login-errors.rules.yaml") }
  }
  scrape = {
    gateways = { namespace = "synapse", selector = { app = "gateway" }, port = "metrics" }
  }
  collector = { google_service_account = "collector@apex-prod.iam.gserviceaccount.com" }
}

run "writes_valid_yaml" {
  command = plan

  assert {
    condition     = keys(output.manifests) == ["collector", "rules-login-errors", "scrape-gateways"]
    error_message = "There must be a manifest for each SLO, each kind of pods and the collector."
  }

  assert {
    condition     = alltrue(flatten([for manifest in output.manifests : [for document in split("---\n", manifest) : can(yamldecode(document).metadata.name) && can(yamldecode(document).kind)]]))
    error_message = "Every document must be YAML, with a kind and a name."
  }

  assert {
    condition     = length(output.manifests) == 3 && length(split("---\n", output.manifests["collector"])) == 7
    error_message = "The collector is seven objects."
  }
}

run "records_over_all_clusters_and_does_not_alert_twice" {
  command = plan

  assert {
    condition     = yamldecode(output.manifests["rules-login-errors"]).kind == "GlobalRules" && !can(yamldecode(output.manifests["rules-login-errors"]).metadata.namespace)
    error_message = "An SLO is over the requests of all regions."
  }

  assert {
    condition     = flatten([for group in yamldecode(output.manifests["rules-login-errors"]).spec.groups : [for rule in group.rules : rule if can(rule.record)]]) == flatten([for group in yamldecode(file("tests/login-errors.rules.yaml")).groups : [for rule in group.rules : rule if can(rule.record)]])
    error_message = "The recording rules must be those that the SLO compiled to."
  }

  assert {
    condition     = alltrue(flatten([for group in yamldecode(output.manifests["rules-login-errors"]).spec.groups : [group.interval == "30s", length(group.rules) > 0, [for rule in group.rules : !can(rule.alert)]]]))
    error_message = "Alerts are policies, and no group may be empty."
  }
}

run "alerts_in_the_cluster_when_told" {
  command = plan

  variables {
    rules = { kind = "Rules", namespace = "synapse", alerts = true }
  }

  assert {
    condition     = yamldecode(output.manifests["rules-login-errors"]).metadata.namespace == "synapse" && sum([for group in yamldecode(output.manifests["rules-login-errors"]).spec.groups : length([for rule in group.rules : rule if can(rule.alert)])]) == 2
    error_message = "The alert rules must be there when asked for."
  }
}

run "scrapes_the_pods" {
  command = plan

  assert {
    condition     = yamldecode(output.manifests["scrape-gateways"]) == yamldecode("{apiVersion: monitoring.googleapis.com/v1, kind: PodMonitoring, metadata: {name: gateways, namespace: synapse}, spec: {selector: {matchLabels: {app: gateway}}, endpoints: [{port: metrics, path: /metrics, interval: 30s}]}}")
    error_message = "The pods must be scraped as said."
  }
}

run "configures_the_collector" {
  command = plan

  assert {
    condition     = yamldecode(yamldecode(split("---\n", output.manifests["collector"])[2]).data["config.yaml"]) == yamldecode(output.collector_config)
    error_message = "The config map must have the configuration."
  }

  assert {
    condition = alltrue(flatten([for pipeline in yamldecode(output.collector_config).service.pipelines : [
      length(setsubtract(pipeline.receivers, keys(yamldecode(output.collector_config).receivers))) == 0,
      length(setsubtract(pipeline.processors, keys(yamldecode(output.collector_config).processors))) == 0,
      length(setsubtract(pipeline.exporters, keys(yamldecode(output.collector_config).exporters))) == 0,
      pipeline.processors[0] == "memory_limiter",
    ]]))
    error_message = "A pipeline must be of parts that are configured, and refuse what is too much first."
  }

  assert {
    condition     = yamldecode(split("---\n", output.manifests["collector"])[3]).spec.replicas == 2 && yamldecode(split("---\n", output.manifests["collector"])[3]).spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem
    error_message = "The collector must be two pods that cannot write."
  }

  assert {
    condition     = yamldecode(split("---\n", output.manifests["collector"])[1]).metadata.annotations["iam.gke.io/gcp-service-account"] == "collector@apex-prod.iam.gserviceaccount.com" && output.collector_endpoint == "apex-collector.observability.svc:4317"
    error_message = "The collector must act as its service account."
  }
}

run "has_nothing_to_do" {
  command = plan

  variables {
    slos      = {}
    scrape    = {}
    collector = null
  }

  assert {
    condition     = length(output.manifests) == 0 && output.collector_config == null && output.collector_endpoint == null && length(google_monitoring_alert_policy.this) == 0
    error_message = "Without inputs there must be nothing."
  }
}

locals {
  # Without the alerts, unless asked for: they are policies.
  rule_groups = { for name, document in local.documents : name => [for group in document.groups : {
    name     = group.name
    interval = var.rules.interval
    rules    = [for rule in group.rules : rule if can(rule.record) || var.rules.alerts]
  } if length([for rule in group.rules : rule if can(rule.record) || var.rules.alerts]) > 0] }

  rules_manifests = { for name, _ in var.slos : "rules-${name}" => yamlencode({
    apiVersion = "monitoring.googleapis.com/v1"
    kind       = var.rules.kind
    metadata   = merge({ name = "${var.name}-${name}" }, var.rules.namespace == null ? {} : { namespace = var.rules.namespace })
    spec       = { groups = local.rule_groups[name] }
  }) }

  scrape_manifests = { for name, pods in var.scrape : "scrape-${name}" => yamlencode({
    apiVersion = "monitoring.googleapis.com/v1"
    kind       = "PodMonitoring"
    metadata   = { name = name, namespace = pods.namespace }
    spec = {
      selector  = { matchLabels = pods.selector }
      endpoints = [{ port = pods.port, path = pods.path, interval = pods.interval }]
    }
  }) }

  collectors     = var.collector == null ? {} : { this = var.collector }
  collector_name = "${var.name}-collector"

  collector_configs = { for key, collector in local.collectors : key => yamlencode({
    receivers = { otlp = { protocols = { grpc = { endpoint = "0.0.0.0:4317" }, http = { endpoint = "0.0.0.0:4318" } } } }
    processors = {
      # First, so that too much is refused rather than killing the collector.
      memory_limiter        = { check_interval = "1s", limit_percentage = 80, spike_limit_percentage = 20 }
      resourcedetection     = { detectors = ["gcp"], timeout = "10s" }
      probabilistic_sampler = { sampling_percentage = collector.sampling_percentage }
      batch                 = { send_batch_size = 200, timeout = "5s" }
    }
    exporters = {
      googlecloud             = { project = var.project_id }
      googlemanagedprometheus = { project = var.project_id }
    }
    extensions = { health_check = { endpoint = "0.0.0.0:13133" } }
    service = {
      extensions = ["health_check"]
      telemetry  = { metrics = { readers = [{ pull = { exporter = { prometheus = { host = "0.0.0.0", port = 8888 } } } }] } }
      pipelines = {
        traces  = { receivers = ["otlp"], processors = ["memory_limiter", "resourcedetection", "probabilistic_sampler", "batch"], exporters = ["googlecloud"] }
        metrics = { receivers = ["otlp"], processors = ["memory_limiter", "resourcedetection", "batch"], exporters = ["googlemanagedprometheus"] }
        logs    = { receivers = ["otlp"], processors = ["memory_limiter", "resourcedetection", "batch"], exporters = ["googlecloud"] }
      }
    }
  }) }

  collector_objects = { for key, collector in local.collectors : key => [
    { apiVersion = "v1", kind = "Namespace", metadata = { name = collector.namespace } },
    { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = local.collector_name, namespace = collector.namespace, annotations = { "iam.gke.io/gcp-service-account" = collector.google_service_account } } },
    { apiVersion = "v1", kind = "ConfigMap", metadata = { name = local.collector_name, namespace = collector.namespace }, data = { "config.yaml" = local.collector_configs[key] } },
    {
      apiVersion = "apps/v1"
      kind       = "Deployment"
      metadata   = { name = local.collector_name, namespace = collector.namespace, labels = { app = local.collector_name } }
      spec = {
        replicas = collector.replicas
        selector = { matchLabels = { app = local.collector_name } }
        strategy = { rollingUpdate = { maxUnavailable = 0, maxSurge = 1 } }
        template = {
          # Pods are replaced when the configuration changes.
          metadata = { labels = { app = local.collector_name }, annotations = { "checksum/config" = sha256(local.collector_configs[key]) } }
          spec = {
            serviceAccountName        = local.collector_name
            securityContext           = { runAsNonRoot = true, runAsUser = 10001, seccompProfile = { type = "RuntimeDefault" } }
            topologySpreadConstraints = [{ maxSkew = 1, topologyKey = "topology.kubernetes.io/zone", whenUnsatisfiable = "ScheduleAnyway", labelSelector = { matchLabels = { app = local.collector_name } } }]
            containers = [{
              name            = "collector"
              image           = collector.image
              args            = ["--config=/etc/otelcol/config.yaml"]
              ports           = [{ name = "otlp-grpc", containerPort = 4317 }, { name = "otlp-http", containerPort = 4318 }, { name = "metrics", containerPort = 8888 }]
              resources       = { requests = { cpu = "250m", memory = "512Mi" }, limits = { memory = "512Mi" } }
              securityContext = { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true, capabilities = { drop = ["ALL"] } }
              readinessProbe  = { httpGet = { path = "/", port = 13133 } }
              livenessProbe   = { httpGet = { path = "/", port = 13133 } }
              volumeMounts    = [{ name = "config", mountPath = "/etc/otelcol", readOnly = true }]
            }]
            volumes = [{ name = "config", configMap = { name = local.collector_name } }]
          }
        }
      }
    },
    { apiVersion = "policy/v1", kind = "PodDisruptionBudget", metadata = { name = local.collector_name, namespace = collector.namespace }, spec = { maxUnavailable = 1, selector = { matchLabels = { app = local.collector_name } } } },
    { apiVersion = "v1", kind = "Service", metadata = { name = local.collector_name, namespace = collector.namespace }, spec = { selector = { app = local.collector_name }, ports = [{ name = "otlp-grpc", port = 4317 }, { name = "otlp-http", port = 4318 }] } },
    { apiVersion = "monitoring.googleapis.com/v1", kind = "PodMonitoring", metadata = { name = local.collector_name, namespace = collector.namespace }, spec = { selector = { matchLabels = { app = local.collector_name } }, endpoints = [{ port = "metrics", interval = "30s" }] } },
  ] }

  collector_manifests = { for key, objects in local.collector_objects : "collector" => join("---\n", [for object in objects : yamlencode(object)]) }
}

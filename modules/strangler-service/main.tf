locals {
  split = var.monolith == null ? {} : { this = var.monolith }
  drill = var.drill == null ? {} : { this = var.drill }

  objectives = {
    availability = { sli = "ratio", objective = var.objectives.availability, threshold = null }
    latency      = { sli = "latency", objective = var.objectives.latency.objective, threshold = var.objectives.latency.threshold }
  }
}

resource "synapse_service" "this" {
  name        = var.name
  owner       = var.owner
  health_path = var.health_path
  labels      = var.labels
}

# It runs before it gets any traffic: the split waits for it.
resource "synapse_service_deployment" "this" {
  service        = synapse_service.this.name
  name           = var.track
  image          = var.image
  require_digest = var.require_digest
  env            = var.env
  labels         = var.labels

  regions = {
    for name, region in var.regions : name => {
      min_replicas = region.min_replicas
      max_replicas = coalesce(region.max_replicas, region.min_replicas)
      env          = region.env
    }
  }
}

resource "synapse_slo" "this" {
  for_each = local.objectives

  name      = "${var.name}-${each.key}"
  service   = synapse_service.this.name
  sli       = each.value.sli
  objective = each.value.objective
  threshold = each.value.threshold
  window    = var.objectives.window
  alerting  = { annotations = var.objectives.annotations }
  labels    = var.labels
}

resource "synapse_traffic_split" "this" {
  for_each = local.split

  name   = var.name
  labels = var.labels

  route = {
    path_prefix = coalesce(var.route.path_prefix, "/${var.name}")
    host        = var.route.host
    methods     = var.route.methods
  }

  backends = {
    monolith = {
      role           = "stable"
      url            = each.value.url
      deployment     = each.value.deployment
      replace_prefix = each.value.replace_prefix
    }
    (var.name) = {
      role       = "candidate"
      deployment = synapse_service_deployment.this.id
    }
  }

  affinity = var.affinity

  progression = {
    revision   = var.progression.revision
    steps      = var.progression.steps
    on_failure = var.progression.on_failure
    soak       = var.progression.soak
    waves      = length(var.progression.waves) == 0 ? null : var.progression.waves
    windows    = length(var.progression.windows) == 0 ? null : var.progression.windows

    analysis = {
      interval     = var.progression.interval
      min_requests = var.progression.min_requests
      checks       = [for slo in synapse_slo.this : { slo = slo.name, baseline = var.progression.baseline }]
    }
  }

  lifecycle {
    # The backend of the monolith has that name.
    precondition {
      condition     = var.name != "monolith"
      error_message = "A service that leaves the monolith cannot be called \"monolith\"."
    }
  }
}

resource "synapse_dr_drill" "this" {
  for_each = local.drill

  name            = "${var.name}-drill"
  failover_policy = each.value.failover_policy
  scenario        = { type = each.value.scenario, region = each.value.region }
  steady_state    = { slo = synapse_slo.this["availability"].name }
  max_duration    = each.value.max_duration
  schedule        = each.value.schedule
  labels          = var.labels
}

mock_provider "synapse" {
  mock_resource "synapse_service_deployment" {
    defaults = {
      id = "auth/v1"
    }
  }
}

variables {
  name     = "auth"
  image    = "registry.example.com/auth@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  regions  = { europe-west1 = { max_replicas = 4 }, us-east1 = { min_replicas = 1 } }
  monolith = { url = "http://monolith.example.internal:8080" }
}

run "moves_the_services_own_path_step_by_step" {
  command = plan

  assert {
    condition     = synapse_traffic_split.this["this"].route.path_prefix == "/auth"
    error_message = "The route is the service's path."
  }
  assert {
    condition     = jsonencode([for step in synapse_traffic_split.this["this"].progression.steps : step.weight]) == jsonencode([1, 5, 25, 50, 100])
    error_message = "The steps grow to all of the traffic."
  }
  assert {
    condition     = synapse_traffic_split.this["this"].progression.on_failure == "rollback"
    error_message = "A failure goes back by itself."
  }
  assert {
    condition     = jsonencode([for check in synapse_traffic_split.this["this"].progression.analysis.checks : check.slo]) == jsonencode(["auth-availability", "auth-latency"])
    error_message = "Both objectives decide."
  }
  assert {
    condition     = synapse_traffic_split.this["this"].backends["monolith"].role == "stable" && synapse_traffic_split.this["this"].backends["auth"].role == "candidate"
    error_message = "The monolith is stable, the service takes over."
  }
  assert {
    condition     = synapse_traffic_split.this["this"].affinity.key == "tenant"
    error_message = "A tenant stays where it is."
  }
  assert {
    condition     = synapse_traffic_split.this["this"].progression.waves == null && synapse_traffic_split.this["this"].progression.windows == null
    error_message = "Without waves and windows the split has none."
  }
  assert {
    condition     = length(synapse_dr_drill.this) == 0 && output.drill == null
    error_message = "No drill unless it is asked for."
  }
}

run "runs_where_it_is_told_to_with_two_replicas_unless_told_otherwise" {
  command = plan

  assert {
    condition     = jsonencode({ for name, region in synapse_service_deployment.this.regions : name => "${region.min_replicas}-${region.max_replicas}" }) == jsonencode({ europe-west1 = "2-4", us-east1 = "1-1" })
    error_message = "Replicas by region."
  }
  assert {
    condition     = synapse_service_deployment.this.require_digest
    error_message = "Images are given by digest."
  }
}

run "adds_a_region_without_touching_the_others" {
  command = plan

  variables {
    regions = { europe-west1 = { max_replicas = 4 }, us-east1 = { min_replicas = 1 }, asia-east1 = {} }
  }

  assert {
    condition     = jsonencode({ for name, region in synapse_service_deployment.this.regions : name => "${region.min_replicas}-${region.max_replicas}" }) == jsonencode({ europe-west1 = "2-4", us-east1 = "1-1", asia-east1 = "2-2" })
    error_message = "The others stay as they were."
  }
}

run "goes_region_by_region_in_windows" {
  command = plan

  variables {
    progression = {
      waves   = [{ regions = ["us-east1"] }, { regions = ["europe-west1"] }]
      windows = [{ days = ["mon"], from = "09:00", to = "16:00" }]
    }
  }

  assert {
    condition     = jsonencode(synapse_traffic_split.this["this"].progression.waves[*].regions) == jsonencode([["us-east1"], ["europe-west1"]])
    error_message = "The waves are in order."
  }
  assert {
    condition     = synapse_traffic_split.this["this"].progression.windows[0].timezone == "UTC"
    error_message = "Windows are in UTC unless they say otherwise."
  }
}

run "moves_from_a_monolith_on_the_platform" {
  command = plan

  variables {
    monolith = { deployment = "monolith/v1", replace_prefix = "/legacy/auth" }
    affinity = null
  }

  assert {
    condition     = synapse_traffic_split.this["this"].backends["monolith"].deployment == "monolith/v1" && synapse_traffic_split.this["this"].backends["monolith"].url == null
    error_message = "The stable backend is the deployment."
  }
}

run "retires_the_monolith" {
  command = plan

  variables {
    monolith = null
  }

  assert {
    condition     = length(synapse_traffic_split.this) == 0 && output.split == null
    error_message = "No split is left."
  }
  assert {
    condition     = length(synapse_slo.this) == 2
    error_message = "The objectives stay."
  }
}

run "has_objectives_whose_alerts_say_what_to_do" {
  command = plan

  variables {
    objectives = { latency = { threshold = "250ms" }, annotations = { runbook = "https://runbooks.example.com/auth" } }
  }

  assert {
    condition     = synapse_slo.this["latency"].threshold == "250ms" && synapse_slo.this["latency"].objective == 99
    error_message = "What is not said of an objective has its default."
  }
  assert {
    condition     = synapse_slo.this["availability"].alerting.annotations["runbook"] == "https://runbooks.example.com/auth"
    error_message = "Alerts name the runbook."
  }
}

run "rehearses_on_schedule" {
  command = plan

  variables {
    drill = { failover_policy = "core", region = "us-east1", schedule = { cron = "0 3 * * 1" } }
  }

  assert {
    condition     = synapse_dr_drill.this["this"].scenario.type == "traffic_drain" && synapse_dr_drill.this["this"].scenario.region == "us-east1"
    error_message = "The gentlest harm, to the region that was named."
  }
  assert {
    condition     = synapse_dr_drill.this["this"].steady_state.slo == "auth-availability"
    error_message = "A drill begins only while the service is well."
  }
}

run "refuses_a_name_that_is_too_long" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "a-name-of-twenty-eight-chars"
  }
}

run "refuses_the_name_of_the_other_backend" {
  command         = plan
  expect_failures = [synapse_traffic_split.this]
  variables {
    name = "monolith"
  }
}

run "refuses_a_health_path_without_a_slash" {
  command         = plan
  expect_failures = [var.health_path]
  variables {
    health_path = "healthz"
  }
}

run "refuses_a_track_that_is_no_name" {
  command         = plan
  expect_failures = [var.track]
  variables {
    track = "V1"
  }
}

run "refuses_an_image_by_tag" {
  command         = plan
  expect_failures = [var.image]
  variables {
    image = "registry.example.com/auth:v1"
  }
}

run "takes_an_image_by_tag_where_that_is_asked_for" {
  command = plan
  variables {
    image          = "registry.example.com/auth:v1"
    require_digest = false
  }
  assert {
    condition     = synapse_service_deployment.this.image == "registry.example.com/auth:v1"
    error_message = "The tag is taken."
  }
}

run "refuses_a_service_that_runs_nowhere" {
  command         = plan
  expect_failures = [var.regions]
  variables {
    regions = {}
  }
}

run "refuses_fewer_replicas_at_most_than_at_least" {
  command         = plan
  expect_failures = [var.regions]
  variables {
    regions = { europe-west1 = { min_replicas = 3, max_replicas = 2 } }
  }
}

run "refuses_a_monolith_that_is_nowhere" {
  command         = plan
  expect_failures = [var.monolith]
  variables {
    monolith = {}
  }
}

run "refuses_a_monolith_that_is_in_two_places" {
  command         = plan
  expect_failures = [var.monolith]
  variables {
    monolith = { url = "http://monolith.example.internal", deployment = "monolith/v1" }
  }
}

run "refuses_a_monolith_without_a_scheme" {
  command         = plan
  expect_failures = [var.monolith]
  variables {
    monolith = { url = "monolith.example.internal:8080" }
  }
}

run "refuses_a_route_without_a_slash" {
  command         = plan
  expect_failures = [var.route]
  variables {
    route = { path_prefix = "auth" }
  }
}

run "refuses_to_retire_the_monolith_from_a_route_that_nobody_would_serve" {
  command         = plan
  expect_failures = [var.route]
  variables {
    monolith = null
    route    = { path_prefix = "/login" }
  }
}

run "refuses_to_retire_the_monolith_from_a_host_that_nobody_would_serve" {
  command         = plan
  expect_failures = [var.route]
  variables {
    monolith = null
    route    = { host = "auth.example.com" }
  }
}

run "refuses_an_affinity_by_nothing_that_is_known" {
  command         = plan
  expect_failures = [var.affinity]
  variables {
    affinity = { key = "user" }
  }
}

run "refuses_an_affinity_by_a_header_without_a_name" {
  command         = plan
  expect_failures = [var.affinity]
  variables {
    affinity = { key = "header" }
  }
}

run "refuses_weights_that_do_not_grow" {
  command         = plan
  expect_failures = [var.progression]
  variables {
    progression = { steps = [{ weight = 50 }, { weight = 5 }, { weight = 100 }] }
  }
}

run "refuses_weights_that_end_before_all" {
  command         = plan
  expect_failures = [var.progression]
  variables {
    progression = { steps = [{ weight = 5 }, { weight = 50 }] }
  }
}

run "refuses_no_steps" {
  command         = plan
  expect_failures = [var.progression]
  variables {
    progression = { steps = [] }
  }
}

run "refuses_a_gate_that_is_neither_auto_nor_manual" {
  command         = plan
  expect_failures = [var.progression]
  variables {
    progression = { steps = [{ weight = 100, gate = "open" }] }
  }
}

run "refuses_a_failure_that_does_neither" {
  command         = plan
  expect_failures = [var.progression]
  variables {
    progression = { on_failure = "ignore" }
  }
}

run "refuses_a_wave_in_a_region_without_the_service" {
  command         = plan
  expect_failures = [var.progression]
  variables {
    progression = { waves = [{ regions = ["asia-east1"] }] }
  }
}

run "refuses_a_region_in_two_waves" {
  command         = plan
  expect_failures = [var.progression]
  variables {
    progression = { waves = [{ regions = ["us-east1"] }, { regions = ["us-east1"] }] }
  }
}

run "refuses_an_objective_that_leaves_nothing_to_fail" {
  command         = plan
  expect_failures = [var.objectives]
  variables {
    objectives = { availability = 100 }
  }
}

run "refuses_a_drill_without_a_known_scenario" {
  command         = plan
  expect_failures = [var.drill]
  variables {
    drill = { failover_policy = "core", scenario = "earthquake" }
  }
}

run "refuses_a_drill_where_the_service_does_not_run" {
  command         = plan
  expect_failures = [var.drill]
  variables {
    drill = { failover_policy = "core", region = "asia-east1" }
  }
}

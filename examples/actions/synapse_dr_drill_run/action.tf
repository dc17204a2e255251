# terraform apply -invoke=action.synapse_dr_drill_run.region_loss
action "synapse_dr_drill_run" "region_loss" {
  config {
    drill    = "region-loss"
    reason   = "quarterly review"
    timeouts = { invoke = "20m" }
  }
}

# Or after each new deployment.
resource "synapse_service_deployment" "auth" {
  service = "auth"
  name    = "v2"
  image   = "registry.example.com/auth:2.0.0"
  regions = { eu = {}, us = {} }

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.synapse_dr_drill_run.region_loss]
    }
  }
}

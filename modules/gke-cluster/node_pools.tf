resource "google_container_node_pool" "this" {
  for_each = var.node_pools

  project           = var.project_id
  location          = var.region
  cluster           = google_container_cluster.this.id
  name              = each.key
  node_locations    = each.value.zones
  max_pods_per_node = each.value.max_pods

  # On the way out pools go before their cluster: without this, a destroy that the cluster refuses would have taken all nodes.
  deletion_policy = coalesce(each.value.deletion_protection, var.deletion_protection) ? "PREVENT" : "DELETE"

  # How the autoscaler starts; what it makes of it is its own affair.
  initial_node_count = each.value.nodes_per_zone.min

  autoscaling {
    min_node_count  = each.value.nodes_per_zone.min
    max_node_count  = each.value.nodes_per_zone.max
    location_policy = each.value.spot ? "ANY" : "BALANCED"
  }

  # A release channel wants both.
  management {
    auto_repair  = true
    auto_upgrade = true
  }

  upgrade_settings {
    strategy        = each.value.blue_green == null ? "SURGE" : "BLUE_GREEN"
    max_surge       = each.value.blue_green == null ? each.value.surge.max_surge : null
    max_unavailable = each.value.blue_green == null ? each.value.surge.max_unavailable : null

    dynamic "blue_green_settings" {
      for_each = each.value.blue_green[*]

      content {
        node_pool_soak_duration = blue_green_settings.value.node_pool_soak_duration

        standard_rollout_policy {
          batch_percentage    = blue_green_settings.value.batch_percentage
          batch_soak_duration = blue_green_settings.value.batch_soak_duration
        }
      }
    }
  }

  node_config {
    machine_type    = each.value.machine_type
    spot            = each.value.spot
    disk_size_gb    = each.value.disk_size_gb
    disk_type       = each.value.disk_type
    image_type      = each.value.image_type
    labels          = each.value.labels
    resource_labels = var.labels
    service_account = google_service_account.nodes.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

    metadata = {
      disable-legacy-endpoints = "true"
    }

    gvnic {
      enabled = true
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    # Pods see the metadata of their Kubernetes service account, not that of the node.
    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    dynamic "taint" {
      for_each = each.value.taints

      content {
        key    = taint.value.key
        value  = taint.value.value
        effect = taint.value.effect
      }
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}

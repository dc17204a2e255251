locals {
  standard = var.mode == "standard"
}

resource "google_container_cluster" "this" {
  project             = var.project_id
  name                = var.name
  description         = "Cluster of the platform in ${var.region}"
  location            = var.region
  node_locations      = var.zones
  deletion_protection = var.deletion_protection
  resource_labels     = var.labels

  # What Autopilot decides by itself, the provider does not let one write: there it stays null.
  enable_autopilot            = local.standard ? null : true
  enable_shielded_nodes       = local.standard ? true : null
  enable_intranode_visibility = local.standard ? true : null
  enable_l4_ilb_subsetting    = local.standard ? true : null
  datapath_provider           = local.standard ? "ADVANCED_DATAPATH" : null

  # A cluster cannot be created without a node pool. The first one is removed, as a pool in here could not be changed.
  remove_default_node_pool = local.standard ? true : null
  initial_node_count       = local.standard ? 1 : null

  network         = var.network.id
  subnetwork      = var.subnet.id
  networking_mode = "VPC_NATIVE"

  ip_allocation_policy {
    cluster_secondary_range_name  = var.subnet.pods_range_name
    services_secondary_range_name = var.subnet.services_range_name
    stack_type                    = "IPV4"
  }

  private_cluster_config {
    enable_private_nodes = true

    # Without IP endpoints GKE answers that the endpoint is private; anything else would show up in every plan.
    enable_private_endpoint = var.control_plane.ip_endpoints == null ? true : !var.control_plane.ip_endpoints.public

    dynamic "master_global_access_config" {
      for_each = var.control_plane.ip_endpoints[*]

      content {
        enabled = master_global_access_config.value.global_access
      }
    }
  }

  control_plane_endpoints_config {
    dns_endpoint_config {
      # False closes the endpoint to everybody but Google itself, not just to those outside of the network.
      allow_external_traffic    = var.control_plane.dns_endpoint
      enable_k8s_tokens_via_dns = false
      enable_k8s_certs_via_dns  = false
    }

    ip_endpoints_config {
      enabled = var.control_plane.ip_endpoints != null
    }
  }

  dynamic "master_authorized_networks_config" {
    for_each = var.control_plane.ip_endpoints[*]

    content {
      gcp_public_cidrs_access_enabled      = false
      private_endpoint_enforcement_enabled = length(master_authorized_networks_config.value.authorized_networks) > 0

      dynamic "cidr_blocks" {
        for_each = master_authorized_networks_config.value.authorized_networks

        content {
          display_name = cidr_blocks.key
          cidr_block   = cidr_blocks.value
        }
      }
    }
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  # Who has no name sees whether the control plane is healthy and nothing else, and no binding can give rights to everybody.
  anonymous_authentication_config {
    mode = "LIMITED"
  }

  rbac_binding_config {
    enable_insecure_binding_system_unauthenticated = false
    enable_insecure_binding_system_authenticated   = false
  }

  dynamic "authenticator_groups_config" {
    for_each = var.security.google_group[*]

    content {
      security_group = authenticator_groups_config.value
    }
  }

  workload_identity_config {
    workload_pool = "${var.project_id}.svc.id.goog"
  }

  database_encryption {
    state    = "ENCRYPTED"
    key_name = local.encryption_key
  }

  dynamic "binary_authorization" {
    for_each = var.security.binary_authorization ? { this = true } : {}

    content {
      evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE"
    }
  }

  security_posture_config {
    mode               = var.security.posture
    vulnerability_mode = var.security.vulnerability_scanning
  }

  # A Service that claims an address of another one would take over its traffic.
  service_external_ips_config {
    enabled = false
  }

  gateway_api_config {
    channel = "CHANNEL_STANDARD"
  }

  # Autopilot always has Cloud DNS. Elsewhere every word is one that GKE would answer with.
  dynamic "dns_config" {
    for_each = local.standard ? { this = true } : {}

    content {
      cluster_dns        = "CLOUD_DNS"
      cluster_dns_scope  = "CLUSTER_SCOPE"
      cluster_dns_domain = "cluster.local"
    }
  }

  addons_config {
    # The controller of Gateways and of network endpoint groups.
    http_load_balancing {
      disabled = false
    }

    horizontal_pod_autoscaling {
      disabled = false
    }

    gce_persistent_disk_csi_driver_config {
      enabled = true
    }

    gke_backup_agent_config {
      enabled = var.backup_agent
    }

    dynamic "dns_cache_config" {
      for_each = local.standard ? { this = true } : {}

      content {
        enabled = true
      }
    }
  }

  vertical_pod_autoscaling {
    enabled = true
  }

  # The account of the nodes that Autopilot makes.
  dynamic "cluster_autoscaling" {
    for_each = local.standard ? {} : { this = true }

    content {
      auto_provisioning_defaults {
        service_account = google_service_account.nodes.email
        oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
      }
    }
  }

  # The unauthenticated port of the kubelet, closed on nodes that Autopilot makes and on those of node pools.
  dynamic "node_pool_auto_config" {
    for_each = local.standard ? {} : { this = true }

    content {
      node_kubelet_config {
        insecure_kubelet_readonly_port_enabled = "FALSE"
      }
    }
  }

  dynamic "node_pool_defaults" {
    for_each = local.standard ? { this = true } : {}

    content {
      node_config_defaults {
        insecure_kubelet_readonly_port_enabled = "FALSE"
      }
    }
  }

  # Of the pool that is removed: where the default account of Compute Engine is disabled, it would not start without.
  dynamic "node_config" {
    for_each = local.standard ? { this = true } : {}

    content {
      service_account = google_service_account.nodes.email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

      shielded_instance_config {
        enable_secure_boot          = true
        enable_integrity_monitoring = true
      }
    }
  }

  release_channel {
    channel = var.release_channel
  }

  maintenance_policy {
    recurring_window {
      start_time = var.maintenance.start_time
      end_time   = var.maintenance.end_time
      recurrence = var.maintenance.recurrence
    }

    # GKE adds when it last upgraded: without the block, that would show up in every plan after an upgrade.
    disruption_budget {
      minor_version_disruption_interval = "${var.maintenance.minor_interval_days * 24 * 60 * 60}s"
      patch_version_disruption_interval = "${var.maintenance.patch_interval_days * 24 * 60 * 60}s"
    }

    dynamic "maintenance_exclusion" {
      for_each = var.maintenance.exclusions

      content {
        exclusion_name = maintenance_exclusion.key
        start_time     = maintenance_exclusion.value.start_time
        end_time       = maintenance_exclusion.value.end_time

        exclusion_options {
          scope = maintenance_exclusion.value.scope
        }
      }
    }
  }

  dynamic "notification_config" {
    for_each = var.notifications[*]

    content {
      pubsub {
        enabled = true
        topic   = notification_config.value.topic

        filter {
          event_type = notification_config.value.events
        }
      }
    }
  }

  logging_config {
    enable_components = var.observability.logs
  }

  monitoring_config {
    enable_components = var.observability.metrics

    managed_prometheus {
      enabled = true
    }

    advanced_datapath_observability_config {
      enable_metrics = true
      enable_relay   = false
    }
  }

  cost_management_config {
    enabled = true
  }

  dynamic "fleet" {
    for_each = var.fleet[*]

    content {
      project = fleet.value
    }
  }

  lifecycle {
    # It belongs to the pool that was removed; GKE answers with that of some other one.
    ignore_changes = [node_config]
  }

  # Without the grants the control plane cannot encrypt, and nodes do not register. They also outlive the cluster on the way out.
  depends_on = [
    google_kms_crypto_key_iam_member.service_agent,
    google_project_iam_member.nodes,
  ]
}

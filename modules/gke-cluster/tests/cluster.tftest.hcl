mock_provider "google" {
  mock_resource "google_container_cluster" {
    defaults = {
      id = "projects/apex-prod/locations/europe-west1/clusters/apex"
    }
  }

  mock_resource "google_service_account" {
    defaults = {
      email  = "apex-nodes@apex-prod.iam.gserviceaccount.com"
      member = "serviceAccount:apex-nodes@apex-prod.iam.gserviceaccount.com"
    }
  }

  mock_resource "google_kms_key_ring" {
    defaults = {
      id = "projects/apex-prod/locations/europe-west1/keyRings/apex-gke"
    }
  }

  mock_resource "google_kms_crypto_key" {
    defaults = {
      id = "projects/apex-prod/locations/europe-west1/keyRings/apex-gke/cryptoKeys/secrets"
    }
  }
}

variables {
  project_id     = "apex-prod"
  project_number = "123456789012"
  name           = "apex"
  region         = "europe-west1"
  network        = { id = "projects/apex-prod/global/networks/apex" }
  subnet         = { id = "projects/apex-prod/regions/europe-west1/subnetworks/apex-europe-west1", pods_range_name = "pods", services_range_name = "services" }
}

run "is_private_encrypted_and_protected_by_default" {
  command = plan

  assert {
    condition     = google_container_cluster.this.enable_autopilot && google_container_cluster.this.location == "europe-west1"
    error_message = "The cluster is not a regional Autopilot cluster."
  }

  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_nodes && google_container_cluster.this.private_cluster_config[0].enable_private_endpoint
    error_message = "Nodes or endpoint are public."
  }

  assert {
    condition     = google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0].allow_external_traffic && !google_container_cluster.this.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled
    error_message = "The control plane has IP endpoints, or no DNS endpoint."
  }

  assert {
    condition     = google_container_cluster.this.deletion_protection && google_kms_crypto_key.secrets["this"].deletion_policy == "PREVENT"
    error_message = "The cluster, or its key, can be destroyed."
  }

  assert {
    condition     = google_container_cluster.this.database_encryption[0].state == "ENCRYPTED" && google_kms_crypto_key.secrets["this"].rotation_period == "7776000s" && google_kms_key_ring.this["this"].location == "europe-west1"
    error_message = "Secrets are not encrypted with a key of the region that rotates."
  }

  assert {
    condition     = google_kms_crypto_key_iam_member.service_agent["this"].member == "serviceAccount:service-123456789012@container-engine-robot.iam.gserviceaccount.com"
    error_message = "The service agent of GKE may not use the key."
  }

  assert {
    condition     = keys(google_project_iam_member.nodes) == ["roles/container.defaultNodeServiceAccount"]
    error_message = "Nodes have more rights than they need."
  }

  assert {
    condition     = google_container_cluster.this.workload_identity_config[0].workload_pool == "apex-prod.svc.id.goog" && google_container_cluster.this.gateway_api_config[0].channel == "CHANNEL_STANDARD" && google_container_cluster.this.monitoring_config[0].managed_prometheus[0].enabled && google_container_cluster.this.cost_management_config[0].enabled
    error_message = "Workload identity, Gateway API, managed Prometheus or cost allocation is off."
  }

  assert {
    condition     = !google_container_cluster.this.master_auth[0].client_certificate_config[0].issue_client_certificate && !google_container_cluster.this.service_external_ips_config[0].enabled && google_container_cluster.this.anonymous_authentication_config[0].mode == "LIMITED"
    error_message = "There is a way around IAM."
  }

  assert {
    condition     = google_container_cluster.this.remove_default_node_pool == null && google_container_cluster.this.initial_node_count == null && length(google_container_cluster.this.dns_config) == 0 && length(google_container_node_pool.this) == 0
    error_message = "An Autopilot cluster is told what it decides by itself."
  }

  assert {
    condition     = length(google_container_cluster.this.fleet) == 0 && output.cluster.membership == null
    error_message = "The cluster joins a fleet unasked."
  }
}

run "hands_on_what_the_next_module_needs" {
  command = apply

  override_resource {
    target = google_container_cluster.this
    values = {
      id = "projects/apex-prod/locations/europe-west1/clusters/apex"
      control_plane_endpoints_config = {
        dns_endpoint_config = { endpoint = "gke-0123.europe-west1.gke.goog" }
      }
      fleet = { membership = "//gkehub.googleapis.com/projects/apex-fleet/locations/europe-west1/memberships/apex" }
    }
  }

  variables {
    fleet = "apex-fleet"
  }

  assert {
    condition     = output.cluster.id == "projects/apex-prod/locations/europe-west1/clusters/apex" && output.cluster.name == "apex" && output.cluster.location == "europe-west1" && output.cluster.region == "europe-west1"
    error_message = "The cluster that is handed on is another one."
  }

  assert {
    condition     = output.cluster.workload_pool == "apex-prod.svc.id.goog" && output.cluster.node_service_account == "apex-nodes@apex-prod.iam.gserviceaccount.com" && output.cluster.ca_certificate != ""
    error_message = "The cluster that is handed on is incomplete."
  }

  assert {
    condition     = output.cluster.dns_endpoint == "gke-0123.europe-west1.gke.goog"
    error_message = "The host name of the control plane is not handed on: ${output.cluster.dns_endpoint}."
  }

  assert {
    condition     = output.cluster.membership == "projects/apex-fleet/locations/europe-west1/memberships/apex"
    error_message = "The membership is not handed on by its id: ${output.cluster.membership}."
  }

  assert {
    condition     = output.encryption_key == "projects/apex-prod/locations/europe-west1/keyRings/apex-gke/cryptoKeys/secrets"
    error_message = "The key is not handed on."
  }
}

run "standard_has_pools_of_its_own" {
  command = plan

  variables {
    mode  = "standard"
    zones = ["europe-west1-b", "europe-west1-c"]
    node_pools = {
      general = {}
      batch = {
        machine_type   = "c3-standard-8"
        nodes_per_zone = { min = 0, max = 10 }
        spot           = true
        taints         = [{ key = "batch", value = "true", effect = "NO_SCHEDULE" }]
        blue_green     = {}

        deletion_protection = false
      }
    }
    labels = { team = "platform" }
  }

  assert {
    condition     = google_container_cluster.this.enable_autopilot == null && google_container_cluster.this.remove_default_node_pool && google_container_cluster.this.initial_node_count == 1
    error_message = "The default node pool stays."
  }

  assert {
    condition     = google_container_cluster.this.datapath_provider == "ADVANCED_DATAPATH" && google_container_cluster.this.enable_shielded_nodes && google_container_cluster.this.node_pool_defaults[0].node_config_defaults[0].insecure_kubelet_readonly_port_enabled == "FALSE"
    error_message = "Dataplane V2 or shielded nodes are off, or the kubelet answers everybody."
  }

  assert {
    condition     = google_container_cluster.this.dns_config[0].cluster_dns == "CLOUD_DNS" && google_container_cluster.this.dns_config[0].cluster_dns_scope == "CLUSTER_SCOPE"
    error_message = "What GKE would answer about DNS is not written."
  }

  assert {
    condition     = keys(google_container_node_pool.this) == ["batch", "general"]
    error_message = "Pools are not keyed by name."
  }

  assert {
    condition = alltrue([for it in google_container_node_pool.this :
      it.node_config[0].shielded_instance_config[0].enable_secure_boot && it.node_config[0].workload_metadata_config[0].mode == "GKE_METADATA" && it.management[0].auto_upgrade && it.management[0].auto_repair && it.node_config[0].resource_labels["team"] == "platform"
    ])
    error_message = "A pool is without secure boot, the metadata server of GKE, upgrades or labels."
  }

  assert {
    condition     = google_container_node_pool.this["general"].deletion_policy == "PREVENT" && google_container_node_pool.this["batch"].deletion_policy == "DELETE"
    error_message = "A destroy that the cluster refuses would take its nodes, or a pool cannot be removed."
  }

  assert {
    condition     = google_container_node_pool.this["general"].upgrade_settings[0].strategy == "SURGE" && google_container_node_pool.this["general"].upgrade_settings[0].max_surge == 1 && google_container_node_pool.this["general"].upgrade_settings[0].max_unavailable == 0
    error_message = "Upgrades take nodes away before they add any."
  }

  assert {
    condition     = google_container_node_pool.this["batch"].upgrade_settings[0].strategy == "BLUE_GREEN" && google_container_node_pool.this["batch"].autoscaling[0].location_policy == "ANY" && google_container_node_pool.this["batch"].autoscaling[0].min_node_count == 0
    error_message = "The pool for batches is not the one that was written."
  }
}

run "opens_what_is_asked_for" {
  command = plan

  variables {
    control_plane       = { dns_endpoint = false, ip_endpoints = { public = true, authorized_networks = { office = "203.0.113.0/24" } } }
    deletion_protection = false
    fleet               = "apex-fleet"
    encryption_key      = "projects/apex-keys/locations/europe-west1/keyRings/gke/cryptoKeys/secrets"
    node_roles          = ["roles/artifactregistry.reader"]
    notifications       = { topic = "projects/apex-prod/topics/gke" }
    security            = { binary_authorization = true, google_group = "gke-security-groups@apex.example" }
    maintenance = {
      exclusions = { black-friday = { start_time = "2026-11-20T00:00:00Z", end_time = "2026-12-02T00:00:00Z" } }
    }
  }

  assert {
    condition     = !google_container_cluster.this.private_cluster_config[0].enable_private_endpoint && one(google_container_cluster.this.master_authorized_networks_config[0].cidr_blocks).cidr_block == "203.0.113.0/24" && google_container_cluster.this.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled
    error_message = "The public endpoint is not the one that was asked for."
  }

  assert {
    condition     = length(google_kms_key_ring.this) == 0 && length(google_kms_crypto_key_iam_member.service_agent) == 0 && google_container_cluster.this.database_encryption[0].key_name == "projects/apex-keys/locations/europe-west1/keyRings/gke/cryptoKeys/secrets"
    error_message = "The key that was brought is not the one that is used."
  }

  assert {
    condition     = !google_container_cluster.this.deletion_protection && google_container_cluster.this.fleet[0].project == "apex-fleet" && length(google_project_iam_member.nodes) == 2
    error_message = "Deletion protection, fleet or roles are not as asked for."
  }

  assert {
    condition     = one(google_container_cluster.this.maintenance_policy[0].maintenance_exclusion).exclusion_options[0].scope == "NO_UPGRADES" && google_container_cluster.this.notification_config[0].pubsub[0].topic == "projects/apex-prod/topics/gke" && google_container_cluster.this.binary_authorization[0].evaluation_mode == "PROJECT_SINGLETON_POLICY_ENFORCE"
    error_message = "Exclusions, notifications or binary authorization are not as asked for."
  }
}

run "private_ip_endpoints_are_open_to_the_network" {
  command = plan

  variables {
    control_plane = { ip_endpoints = {} }
  }

  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_endpoint && google_container_cluster.this.private_cluster_config[0].master_global_access_config[0].enabled && !google_container_cluster.this.master_authorized_networks_config[0].private_endpoint_enforcement_enabled
    error_message = "The private endpoint is public, or is closed to the network and to other regions."
  }
}

run "an_account_has_an_id_that_fits" {
  command = plan

  variables {
    name = "apex-northamerica-northeast1-a-long-name"
  }

  assert {
    condition     = length(google_service_account.nodes.account_id) <= 30 && endswith(google_service_account.nodes.account_id, "-nodes")
    error_message = "The id of the account is ${google_service_account.nodes.account_id}."
  }
}

run "the_key_is_not_protected_when_the_cluster_is_not" {
  command = plan

  variables {
    deletion_protection = false
    key_ring            = { name = "apex-gke-2", rotation_period = "2592000s" }
  }

  assert {
    condition     = google_kms_crypto_key.secrets["this"].deletion_policy == "DELETE" && google_kms_key_ring.this["this"].name == "apex-gke-2" && google_kms_crypto_key.secrets["this"].rotation_period == "2592000s"
    error_message = "The key would hold up a destroy, or is not the one that was asked for."
  }
}

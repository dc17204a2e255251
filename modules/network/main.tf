resource "google_compute_network" "this" {
  project                 = var.project_id
  name                    = var.name
  description             = "Network of the platform, one subnet for each region"
  auto_create_subnetworks = false

  # Routers learn and announce the routes of all regions: a region that is lost takes no way into the others with it.
  routing_mode = "GLOBAL"

  # Everything else is in the network, so that nothing is made of ranges that are not right.
  lifecycle {
    precondition {
      condition     = length(local.malformed) == 0
      error_message = "Not the address of an IPv4 network: ${join(", ", [for name, cidr in local.malformed : "${name} (${cidr})"])}. Write its first address and the length of its prefix, such as \"10.0.0.0/20\"."
    }

    precondition {
      condition     = length(local.missized) == 0
      error_message = "Ranges of a size that Google Cloud does not take: ${join("; ", local.missized)}."
    }

    precondition {
      condition     = length(local.overlaps) == 0
      error_message = "Ranges overlap: ${join("; ", local.overlaps)}. Give each a range of its own."
    }
  }
}

resource "google_compute_subnetwork" "this" {
  for_each = var.regions

  project                  = var.project_id
  name                     = "${var.name}-${each.key}"
  description              = "Nodes, pods and services in ${each.key}"
  region                   = each.key
  network                  = google_compute_network.this.id
  ip_cidr_range            = each.value.cidr
  purpose                  = "PRIVATE"
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = each.value.pods_cidr
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = each.value.services_cidr
  }

  dynamic "log_config" {
    for_each = var.flow_logs[*]

    content {
      aggregation_interval = log_config.value.aggregation_interval
      flow_sampling        = log_config.value.sampling
      metadata             = log_config.value.metadata
      filter_expr          = log_config.value.filter
    }
  }
}

# Where Google runs the Envoy proxies of regional load balancers. Such subnets have no flow logs.
resource "google_compute_subnetwork" "proxy_only" {
  for_each = { for region, it in var.regions : region => it.proxy_only_cidr if it.proxy_only_cidr != null }

  project       = var.project_id
  name          = "${var.name}-${each.key}-proxy-only"
  description   = "Proxies of regional load balancers in ${each.key}"
  region        = each.key
  network       = google_compute_network.this.id
  ip_cidr_range = each.value
  purpose       = "REGIONAL_MANAGED_PROXY"
  role          = "ACTIVE"
}

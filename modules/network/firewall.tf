locals {
  # https://cloud.google.com/load-balancing/docs/firewall-rules: front ends and health checks of Google's load balancers.
  health_check_ranges = ["130.211.0.0/22", "35.191.0.0/16"]

  # https://cloud.google.com/iap/docs/using-tcp-forwarding: where Identity-Aware Proxy connects from.
  iap_ranges = ["35.235.240.0/20"]
}

# What no rule allows is denied without this one too, but in silence.
resource "google_compute_firewall" "deny_ingress" {
  project       = var.project_id
  name          = "${var.name}-deny-ingress"
  description   = "Denies and logs what no other rule allows"
  network       = google_compute_network.this.id
  direction     = "INGRESS"
  priority      = 65534
  source_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

# A rule for each region, so that a region that comes or goes leaves the rules of the others alone. The destinations are the pods:
# a probe has no business with the kubelet of a node.
resource "google_compute_firewall" "health_checks" {
  for_each = length(var.firewall.health_check_ports) == 0 ? {} : var.regions

  project            = var.project_id
  name               = "${var.name}-${each.key}-health-checks"
  description        = "Load balancers and health checks to the pods of ${each.key}"
  network            = google_compute_network.this.id
  direction          = "INGRESS"
  priority           = 1000
  source_ranges      = local.health_check_ranges
  destination_ranges = [each.value.pods_cidr]

  allow {
    protocol = "tcp"
    ports    = var.firewall.health_check_ports
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "proxies" {
  for_each = length(var.firewall.proxy_ports) == 0 ? {} : { for region, it in var.regions : region => it if it.proxy_only_cidr != null }

  project            = var.project_id
  name               = "${var.name}-${each.key}-proxies"
  description        = "Proxies of regional load balancers to the pods of ${each.key}"
  network            = google_compute_network.this.id
  direction          = "INGRESS"
  priority           = 1000
  source_ranges      = [each.value.proxy_only_cidr]
  destination_ranges = [each.value.pods_cidr]

  allow {
    protocol = "tcp"
    ports    = var.firewall.proxy_ports
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "iap" {
  for_each = var.firewall.iap == null ? {} : { this = var.firewall.iap }

  project                 = var.project_id
  name                    = "${var.name}-iap"
  description             = "Identity-Aware Proxy to the machines of some service accounts"
  network                 = google_compute_network.this.id
  direction               = "INGRESS"
  priority                = 1000
  source_ranges           = local.iap_ranges
  target_service_accounts = each.value.target_service_accounts

  allow {
    protocol = "tcp"
    ports    = each.value.ports
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "rules" {
  for_each = var.firewall.rules

  project                 = var.project_id
  name                    = "${var.name}-allow-${each.key}"
  description             = each.value.description
  network                 = google_compute_network.this.id
  direction               = "INGRESS"
  priority                = each.value.priority
  source_ranges           = each.value.source_ranges
  destination_ranges      = each.value.destination_ranges
  target_service_accounts = each.value.target_service_accounts

  dynamic "allow" {
    for_each = each.value.allow

    content {
      protocol = allow.key
      ports    = allow.value
    }
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

locals {
  # An account's id has at most 30 characters. A name that is too long is cut, and told apart from others by its hash.
  node_account_id = length(var.name) <= 24 ? "${var.name}-nodes" : "${trimsuffix(substr(var.name, 0, 18), "-")}-${substr(sha256(var.name), 0, 5)}-nodes"
}

# The default account of Compute Engine can edit the whole project. This one writes logs and metrics.
resource "google_service_account" "nodes" {
  project      = var.project_id
  account_id   = local.node_account_id
  display_name = "Nodes of ${var.name}"
  description  = "Nodes of the GKE cluster ${var.name} in ${var.region}"
}

resource "google_project_iam_member" "nodes" {
  for_each = setunion(["roles/container.defaultNodeServiceAccount"], var.node_roles)

  project = var.project_id
  role    = each.value
  member  = google_service_account.nodes.member
}

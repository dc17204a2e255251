locals {
  continent = split("-", tolist(var.regions)[0])[0]

  # The same multi-region, as Cloud Storage calls it and as KMS does.
  locations = {
    europe = { bucket = "EU", key = "europe" }
    us     = { bucket = "US", key = "us" }
    asia   = { bucket = "ASIA", key = "asia" }
  }

  deletion_policy = var.deletion_protection ? "PREVENT" : "DELETE"
}

resource "google_project_service" "this" {
  for_each = var.services

  project = var.project_id
  service = each.value

  # Whatever else is in the project goes on when this state does not.
  disable_on_destroy = false
}

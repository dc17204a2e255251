# Three tenants, each kept apart from the others in another way.
#
# deletion_protection is off and grace_period is zero because this is a demo: `terraform destroy` removes everything at
# once. Leave both out for tenants with data that somebody would miss: then they are protected, and their data is kept
# for 30 days after a destroy.

# Rows of its own in tables shared with others; PostgreSQL's row-level security tells them apart.
resource "synapse_tenant" "acme" {
  name         = "acme"
  display_name = "Acme Freight"
  tier         = "free"
  home_region  = synapse_region.eu_west.name

  isolation = { database = "pool" }
  quotas    = { requests_per_second = 50, burst = 100 }

  deletion_protection = false
  offboarding         = { grace_period = "0s" }
}

# A schema of its own in the shared database.
resource "synapse_tenant" "globex" {
  name         = "globex"
  display_name = "Globex Logistics"
  tier         = "standard"
  home_region  = synapse_region.us_east.name

  isolation = { database = "bridge" }

  deletion_protection = false
  offboarding         = { grace_period = "0s" }
}

# A database of its own. European rules: no request of this tenant is ever served from elsewhere.
resource "synapse_tenant" "initech" {
  name            = "initech"
  display_name    = "Initech Pharma"
  tier            = "enterprise"
  home_region     = synapse_region.eu_west.name
  allowed_regions = [synapse_region.eu_west.name]

  isolation = { database = "silo" }

  deletion_protection = false
  offboarding         = { grace_period = "0s" }
}

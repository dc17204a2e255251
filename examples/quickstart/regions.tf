resource "synapse_region" "eu_west" {
  name    = "eu-west"
  runtime = "local"
}

resource "synapse_region" "us_east" {
  name    = "us-east"
  runtime = "local"

  # The first region's database is the primary: say which one it is, instead of leaving it to a race.
  depends_on = [synapse_region.eu_west]
}

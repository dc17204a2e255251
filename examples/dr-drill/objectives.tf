# What users may expect of the monolith. When more than half of its requests are bad, that is one more vote for "the region
# is lost"; alone it decides nothing.
resource "synapse_slo" "monolith" {
  name      = "monolith-availability"
  service   = data.synapse_service.monolith.name
  sli       = "ratio"
  objective = 99.5
}

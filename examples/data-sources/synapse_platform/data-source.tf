data "synapse_platform" "this" {}

output "entry" {
  value = data.synapse_platform.this.entry_url
}

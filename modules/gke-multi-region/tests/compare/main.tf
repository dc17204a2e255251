terraform {
  required_version = ">= 1.11"
}

variable "before" {
  description = "Clusters by region before a region came."
  type        = any
}

variable "after" {
  description = "Clusters by region after it came; null to remember those before."
  type        = any
  default     = null
}

output "before" {
  description = "Clusters by region before a region came."
  value       = var.before
}

output "changed" {
  description = "Regions whose cluster is not what it was."
  value       = var.after == null ? [] : [for region, it in var.before : region if jsonencode(var.after[region]) != jsonencode(it)]
}

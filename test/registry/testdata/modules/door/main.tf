# A module for the tests of the registry: it needs no provider, and another module refers to it.
terraform {
  required_version = ">= 1.9"
}

variable "colour" {
  description = "Colour of the door."
  type        = string
  default     = "green"
  nullable    = false
}

resource "terraform_data" "this" {
  input = "a ${var.colour} door"
}

output "description" {
  description = "What the door looks like."
  value       = terraform_data.this.output
}

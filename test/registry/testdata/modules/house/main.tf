# A module that refers to its sibling by path, as those of a real library do.
terraform {
  required_version = ">= 1.9"
}

module "door" {
  source = "../door"

  colour = "red"
}

output "description" {
  description = "What the house has."
  value       = "a house with ${module.door.description}"
}

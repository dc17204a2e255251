# What has a shape is checked by the module, whose messages say what to write instead.

variable "project_id" {
  description = "Project of the environment."
  type        = string
}

variable "project_number" {
  description = "Number of that project."
  type        = string
}

variable "name" {
  description = "Name of the environment, and prefix of the name of everything in it."
  type        = string
}

variable "regions" {
  description = "The regions, as `regions` of module `platform`."
  type        = any
}

variable "private_services_cidr" {
  description = "Range from which Cloud SQL takes its private addresses."
  type        = string
}

variable "database" {
  description = "The database, as `database` of module `platform`."
  type        = any
}

variable "active_region" {
  description = "Region of the primary; null is its home region. It stands alone, so that a switchover is one variable."
  type        = string
  default     = null
}

variable "load_balancer" {
  description = "The way in, as `load_balancer` of module `platform`."
  type        = any
}

variable "drained_regions" {
  description = "Regions that get no traffic. They stand alone, so that a drain is one variable."
  type        = set(string)
  default     = []
}

variable "dns_zone" {
  description = "Public zone for the domains, with the dot at its end."
  type        = string
}

variable "observability" {
  description = "Who is told of what, as `observability` of module `platform`."
  type        = any
  default     = {}
}

variable "deletion_protection" {
  description = "Refuses to delete what holds data or serves users. Set it to false, and apply that, before a destroy."
  type        = bool
  default     = true
}

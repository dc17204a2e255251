variable "registry" {
  description = "Image registry as host:port. The default is the one that synapsed serves."
  type        = string
  default     = "127.0.0.1:7700"
  nullable    = false
}

variable "stage" {
  description = <<-EOT
    Where the migration is.
    migrate: the monolith serves /auth, and the auth service takes over step by step.
    release: the monolith's route is retired, and the next version of the auth service takes over from the first.
    retired: no split is left; the path /auth is the auth service's own.
  EOT
  type        = string
  default     = "migrate"
  nullable    = false

  validation {
    condition     = contains(["migrate", "release", "retired"], var.stage)
    error_message = "The stage is one of migrate, release, retired."
  }
}

variable "revision" {
  description = "Names the run of a progression. A new value starts a new one; the same value after a rollback does nothing."
  type        = string
  default     = "1"
  nullable    = false
}

variable "next_fail_percent" {
  description = "How many of 100 requests the next version of the auth service fails on purpose."
  type        = number
  default     = 0
  nullable    = false
}

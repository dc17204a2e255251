variable "registry" {
  description = "Image registry as host:port. The default is the one that synapsed serves."
  type        = string
  default     = "127.0.0.1:7700"
  nullable    = false
}

variable "monolith_url" {
  description = "Base URL of the monolith. Null once it is retired."
  type        = string
  default     = null
}

variable "revision" {
  description = "Names the run of the progression."
  type        = string
  default     = "first-move"
  nullable    = false
}

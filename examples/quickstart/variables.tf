variable "registry" {
  description = "Image registry as host:port. The default is the one that synapsed serves."
  type        = string
  default     = "127.0.0.1:7700"
  nullable    = false
}

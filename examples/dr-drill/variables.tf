variable "release" {
  description = "What the drill is evidence for. Another value runs it again."
  type        = string
  default     = "1"
  nullable    = false
}

variable "load" {
  description = <<-EOT
    What the client that measures sends each second. Many requests measure finely: with 200 a second, two good answers are
    5 ms apart.
  EOT
  type = object({
    requests = optional(number, 200)
    writes   = optional(number, 50)
  })
  default  = {}
  nullable = false
}

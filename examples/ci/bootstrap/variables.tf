variable "project_id" {
  description = "Project of the environment."
  type        = string
}

variable "project_number" {
  description = "Number of that project."
  type        = string
}

variable "environment" {
  description = "Name of the environment, in the repository and on GitHub."
  type        = string
}

variable "regions" {
  description = "The two regions that state and plans are kept in."
  type        = set(string)
}

variable "admins" {
  description = "Who may do anything with states and plans."
  type        = set(string)
}

variable "github" {
  description = "The repository, as `github` of module `state-bootstrap`. Null without GitHub Actions."
  type        = object({ repository = string, repository_id = string, owner_id = string })
  default     = null
}

variable "build_callers" {
  description = "Who may write triggers of Cloud Build. Null without Cloud Build."
  type        = set(string)
  default     = null
}

variable "receipt_readers" {
  description = "Members who may see what was applied here: for staging, the identity that applies to production with Cloud Build."
  type        = set(string)
  default     = []
}

terraform {
  required_version = ">= 1.11"

  # The bucket and prefix of each environment come from -backend-config: see ../ci. For a trial on one machine, an override file
  # with `backend "local" {}` keeps the state in a file.
  backend "gcs" {}

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.40, < 9"
    }
  }
}

provider "google" {
  project = var.project_id
}

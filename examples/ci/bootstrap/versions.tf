terraform {
  required_version = ">= 1.11"

  # Whoever sets an environment up applies this with a state in a file, and moves it into the bucket that it makes: see ../README.md.

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

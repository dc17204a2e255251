terraform {
  required_version = ">= 1.11"

  required_providers {
    # Used by the modules in here only, and named so that a registry's page says it.
    # tflint-ignore: terraform_unused_required_providers
    google = {
      source  = "hashicorp/google"
      version = ">= 7.40, < 9"
    }
  }
}

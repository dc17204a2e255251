project_id     = "synapse-staging"
project_number = "100000000002"
environment    = "staging"
regions        = ["europe-west1", "europe-west4"]
admins         = ["group:platform-admins@example.com"]

github = {
  repository    = "apex-innovations/platform"
  repository_id = "765432100"
  owner_id      = "12345678"
}

build_callers   = ["group:platform-admins@example.com"]
receipt_readers = ["serviceAccount:synapse-tf-apply@synapse-prod.iam.gserviceaccount.com"]

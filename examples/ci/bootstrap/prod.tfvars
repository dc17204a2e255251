project_id     = "synapse-prod"
project_number = "100000000003"
environment    = "prod"
regions        = ["europe-west1", "europe-west4"]
admins         = ["group:platform-admins@example.com"]

github = {
  repository    = "apex-innovations/platform"
  repository_id = "765432100"
  owner_id      = "12345678"
}

build_callers = ["group:platform-admins@example.com"]

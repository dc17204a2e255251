module "platform" {
  source = "../../modules/platform"

  project_id     = var.project_id
  project_number = var.project_number
  name           = var.name
  labels         = { environment = var.name }

  regions               = var.regions
  private_services_cidr = var.private_services_cidr
  database              = merge(var.database, { active_region = var.active_region })
  load_balancer         = merge(var.load_balancer, { drained_regions = var.drained_regions })
  dns_zone              = var.dns_zone
  observability         = var.observability
  deletion_protection   = var.deletion_protection
}

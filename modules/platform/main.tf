module "network" {
  source = "../network"

  project_id = var.project_id
  name       = var.name
  labels     = var.labels

  regions = { for region, it in var.regions : region => {
    cidr            = it.cidr
    pods_cidr       = it.pods_cidr
    services_cidr   = it.services_cidr
    proxy_only_cidr = it.proxy_only_cidr
  } }

  private_services_access = { cidr = var.private_services_cidr }
  reserved_cidrs          = var.reserved_cidrs
}

module "gke" {
  source = "../gke-multi-region"

  project_id     = var.project_id
  project_number = var.project_number
  name           = var.name
  labels         = var.labels
  network        = module.network.network
  control_plane  = var.control_plane_access

  clusters = { for region, it in var.regions : region => {
    subnet              = module.network.subnets[region]
    zones               = it.cluster.mode == "standard" ? it.zones : null
    mode                = it.cluster.mode
    node_pools          = it.cluster.node_pools
    release_channel     = it.cluster.release_channel
    maintenance         = it.cluster.maintenance
    deletion_protection = var.deletion_protection
  } }

  fleet = {
    config_region       = var.multi_cluster_gateway_region
    deletion_protection = var.deletion_protection
  }

  # A cluster whose Services carry the annotation makes the load balancer's groups again when they are deleted before it, and then
  # they hold up the subnet.
  depends_on = [module.load_balancer]
}

module "database" {
  source = "../cloud-sql"

  project_id     = var.project_id
  project_number = var.project_number
  name           = var.name
  labels         = var.labels
  network        = module.network.network

  instances            = { for region, it in var.regions : region => it.database if it.database != null }
  home_region          = var.database.home_region
  dr_region            = var.database.dr_region
  active_region        = var.database.active_region
  designate_dr_replica = var.database.designate_dr_replica

  database_version    = var.database.version
  edition             = var.database.edition
  database_flags      = var.database.flags
  backup              = var.database.backup
  databases           = var.database.databases
  users               = var.database.users
  passwords           = var.passwords
  deletion_protection = var.deletion_protection
}

module "load_balancer" {
  source = "../global-load-balancer"

  project_id          = var.project_id
  name                = var.name
  labels              = var.labels
  deletion_protection = var.deletion_protection
  network             = module.network.network

  regions = { for region, it in var.regions : region => {
    zones  = it.zones
    subnet = module.network.subnets[region]
  } }

  services        = var.load_balancer.services
  monolith        = var.load_balancer.monolith
  domains         = var.load_balancer.domains
  default_backend = var.load_balancer.default_backend
  routes          = var.load_balancer.routes
  drained_regions = var.load_balancer.drained_regions
}

module "dns" {
  source   = "../dns"
  for_each = var.dns_zone == null ? {} : { this = var.dns_zone }

  project_id = var.project_id
  name       = var.name
  labels     = var.labels

  zones   = { main = { dns_name = each.value, deletion_protection = var.deletion_protection } }
  records = { for key, record in module.load_balancer.dns_records : key => merge(record, { zone = "main" }) }

  authorizations = { for key, record in module.load_balancer.dns_authorizations : key => merge(record, { zone = "main" }) }
}

module "observability" {
  source = "../observability"

  project_id = var.project_id
  name       = var.name
  labels     = var.labels

  slos            = var.slos
  channels        = var.observability.channels
  channel_secrets = var.channel_secrets
  uptime_checks   = var.observability.uptime_checks
  alerts          = var.observability.alerts
  scrape          = var.observability.scrape
}

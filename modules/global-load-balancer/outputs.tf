output "load_balancer" {
  description = "The load balancer, to be handed on: its addresses, domains, URL map, and the ID of each backend service by name."
  value = {
    ip_address       = google_compute_global_address.this["ipv4"].address
    ipv6_address     = google_compute_global_address.this["ipv6"].address
    domains          = sort(var.domains)
    url_map_id       = google_compute_url_map.https.id
    backend_services = { for name, service in google_compute_backend_service.this : name => service.id }
  }

  depends_on = [google_compute_global_forwarding_rule.this]
}

output "neg_annotations" {
  description = "By service and region, the value of the annotation `cloud.google.com/neg` with which the Kubernetes Service has GKE fill the groups of this module."
  value = {
    for name, regions in local.placements : name => {
      for region, placement in regions : region => jsonencode({ exposed_ports = { (tostring(var.services[name].port)) = { name = placement.name } } }) if placement.given == null
    }
  }
}

output "network_endpoint_groups" {
  description = "By service, the network endpoint group of each zone: `id` and `name`."
  value = {
    for name, service in var.services : name => {
      for key, group in local.groups : group.zone => {
        id   = google_compute_network_endpoint_group.service[key].id
        name = google_compute_network_endpoint_group.service[key].name
      } if group.service == name
    }
  }
}

output "dns_records" {
  description = "The addresses of all domains, as `records` for the module dns, once a `zone` is merged into each."
  value = merge(
    { for domain in var.domains : "${domain} A" => { name = "${domain}.", type = "A", ttl = 300, rrdatas = [google_compute_global_address.this["ipv4"].address] } },
    { for domain in var.domains : "${domain} AAAA" => { name = "${domain}.", type = "AAAA", ttl = 300, rrdatas = [google_compute_global_address.this["ipv6"].address] } },
  )
}

output "dns_authorizations" {
  description = "What proves to Certificate Manager that the domains are yours, as `authorizations` for the module dns, once a `zone` is merged into each."
  value = {
    for domain, authorization in google_certificate_manager_dns_authorization.this : domain => {
      name = authorization.dns_resource_record[0].name
      type = authorization.dns_resource_record[0].type
      data = authorization.dns_resource_record[0].data
    }
  }
}

output "certificates" {
  description = "ID of the certificate of each domain."
  value       = { for domain, certificate in google_certificate_manager_certificate.this : domain => certificate.id }
}

output "health_checks" {
  description = "ID of the health check of each backend service that has one."
  value       = { for name, check in google_compute_health_check.this : name => check.id }
}

output "security_policy_id" {
  description = "ID of the Cloud Armor policy, for backend services outside of this module."
  value       = google_compute_security_policy.this.id
}

# Where staging may differ from production, and why. Everything else is the same: `make lint` compares the two.
# `*` stands for any one key or position. What is there in one file must be there in the other.

# Names.

allow "project_id" {
  reason = "Each environment is a project of its own."
}

allow "project_number" {
  reason = "It goes with the project."
}

allow "name" {
  reason = "Nobody shall take one environment for the other."
}

allow "database.users.*" {
  reason  = "An IAM user of a database has the project in its name."
  renamed = true
}

allow "load_balancer.domains.*" {
  reason = "Each environment has names of its own, as many as the other."
}

allow "load_balancer.monolith.internet.fqdn" {
  reason = "Each environment has a monolith of its own."
}

allow "dns_zone" {
  reason = "The zone holds the domains."
}

allow "observability.uptime_checks.*.host" {
  reason = "One of the domains."
}

allow "observability.channels.*.target" {
  reason = "Staging wakes nobody."
}

# Sizes.

allow "regions.*.database.tier" {
  reason = "Staging has less load."
}

allow "regions.*.database.disk_size" {
  reason = "Staging has less data."
}

allow "load_balancer.services.*.max_rate_per_endpoint" {
  reason = "It follows from the size of what serves."
}

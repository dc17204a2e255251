locals {
  documents = { for name, slo in var.slos : name => yamldecode(slo.rules_yaml) }

  # Of each SLO, the recording rules by what they record, and the alerts by whether they page.
  recordings = { for name, document in local.documents : name => merge([for group in document.groups : { for rule in group.rules : rule.record => rule.expr if can(rule.record) }]...) }
  burns = { for name, document in local.documents : name => merge([for group in document.groups : {
    for rule in group.rules : (rule.alert == "SLOErrorBudgetBurnsFast" ? "page" : "ticket") => rule if can(rule.alert)
  }]...) }

  # Which alerts an SLO has must be known before its rules are, which are not until it is created: one that pages, and where the window
  # has room for it, one that can wait. A policy whose rule turns out to be missing refuses to be planned.
  burn_alerts = merge([for name, slo in var.slos : slo.alerting.disabled ? {} : merge(
    { "${name}/page" = { slo = name, severity = "page" } },
    tonumber(try(regex("^([0-9]+)h", slo.window)[0], "0")) >= 24 ? { "${name}/ticket" = { slo = name, severity = "ticket" } } : {},
  )]...)

  services = distinct([for _, slo in var.slos : slo.service])
  slos_of  = { for service in local.services : service => sort([for name, slo in var.slos : name if slo.service == service]) }

  severities = { page = "CRITICAL", ticket = "WARNING" }
}

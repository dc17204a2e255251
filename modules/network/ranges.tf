# Google refuses some overlaps, one range at a time and in the middle of an apply, and lets others through: those between private
# services access, a peer's network and the pods of another region show up as lost packets. So all of them are checked here, in
# numbers: a network goes from its first address to its first address plus its size, and two of them overlap when each starts
# before the other ends, whichever contains the other.
locals {
  named = merge(
    { for region, it in var.regions : "regions[\"${region}\"].cidr" => it.cidr },
    { for region, it in var.regions : "regions[\"${region}\"].pods_cidr" => it.pods_cidr },
    { for region, it in var.regions : "regions[\"${region}\"].services_cidr" => it.services_cidr },
    { for region, it in var.regions : "regions[\"${region}\"].proxy_only_cidr" => it.proxy_only_cidr if it.proxy_only_cidr != null },
    { for it in var.private_services_access[*] : "private_services_access.cidr" => it.cidr },
    { for name, cidr in var.reserved_cidrs : "reserved_cidrs[\"${name}\"]" => cidr },
  )

  # cidrnetmask is the function that takes IPv4 alone; a network's address is what is left when the bits of its hosts are zero.
  wellformed = { for name, cidr in local.named : name => cidr if can(cidrnetmask(cidr)) && try(cidrhost(cidr, 0), "") == split("/", cidr)[0] }
  malformed  = { for name, cidr in local.named : name => cidr if !contains(keys(local.wellformed), name) }

  prefixes = { for name, cidr in local.wellformed : name => tonumber(split("/", cidr)[1]) }
  missized = concat(
    [for name, prefix in local.prefixes : "${name} is a /${prefix}, write /8 to /29" if endswith(name, "].cidr") && (prefix < 8 || prefix > 29)],
    [for name, prefix in local.prefixes : "${name} is a /${prefix}, write /9 to /24" if endswith(name, ".pods_cidr") && (prefix < 9 || prefix > 24)],
    [for name, prefix in local.prefixes : "${name} is a /${prefix}, write /16 to /27" if endswith(name, ".services_cidr") && (prefix < 16 || prefix > 27)],
    [for name, prefix in local.prefixes : "${name} is a /${prefix}, write /26 or larger" if endswith(name, ".proxy_only_cidr") && prefix > 26],
    [for name, prefix in local.prefixes : "${name} is a /${prefix}, write /8 to /24" if name == "private_services_access.cidr" && (prefix < 8 || prefix > 24)],
  )

  first = { for name, cidr in local.wellformed : name => sum([for position, octet in split(".", cidrhost(cidr, 0)) : tonumber(octet) * pow(256, 3 - position)]) }
  spans = { for name, first in local.first : name => { first = first, last = first + pow(2, 32 - local.prefixes[name]) - 1 } }

  names = sort(keys(local.spans))
  overlaps = flatten([
    for index, one in local.names : [
      for other in slice(local.names, index + 1, length(local.names)) :
      "${one} (${local.named[one]}) and ${other} (${local.named[other]})"
      if local.spans[one].first <= local.spans[other].last && local.spans[other].first <= local.spans[one].last
      # What two other networks do between them is not for this one to judge.
      && !(startswith(one, "reserved_cidrs[") && startswith(other, "reserved_cidrs["))
    ]
  ])
}

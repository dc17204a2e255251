package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/quota"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// tenant is a [Tenant] compiled for the hot path.
type tenant struct {
	name      string
	headers   []headerValue // what services are told
	allowed   bool
	held      *rejection     // of everything; nil when the tenant is served
	prefixes  []netip.Prefix // empty: all
	suspended bool
	readOnly  *rejection // of writes; nil when they are allowed
	silo      bool
	bucket    *quota.Bucket
}

// headerValue is a header ready to be put into a request: its key is canonical, its value shared and never changed.
type headerValue struct {
	key    string
	values []string
}

// compileTenant prepares a valid Tenant. The bucket of previous, which may be nil, lives on.
func compileTenant(name string, t Tenant, previous *tenant, now time.Time) *tenant {
	compiled := &tenant{
		name:      name,
		allowed:   t.Allowed,
		suspended: t.State == synapse.TenantSuspended && t.SuspendMode != synapse.SuspendReadOnly,
		silo:      t.ComputeSilo,
		headers: []headerValue{
			{HeaderTenant, []string{name}},
			{HeaderTenantRole, []string{t.Role}},
			{HeaderTenantDatabase, []string{t.Database}},
			{HeaderTenantSchema, []string{t.Schema}},
			{HeaderTenantIsolation, []string{string(t.Isolation)}},
		},
	}
	switch {
	case t.State == synapse.TenantSuspended:
		compiled.readOnly = forbidden(CodeTenantReadOnly, "tenant %q is suspended and may only read", name)
	case t.StorageExceeded:
		compiled.readOnly = forbidden(CodeStorageExceeded, "tenant %q uses more storage than its quota and may only read: delete data or raise quotas.storage_gib", name)
	}
	if t.Held {
		compiled.held = held(name)
	}
	for _, cidr := range t.AllowedCIDRs {
		compiled.prefixes = append(compiled.prefixes, netip.MustParsePrefix(cidr))
	}
	var bucket *quota.Bucket
	if previous != nil {
		bucket = previous.bucket
	}
	compiled.bucket = bucket.Next(quota.Limit{PerSecond: t.RequestsPerSecond, Burst: t.Burst}, now)
	return compiled
}

// admit says why a request is refused, if it is, for another reason than the quota.
func (t *tenant) admit(r *http.Request, region string, client netip.Addr) *rejection {
	switch {
	case !t.allowed:
		return forbidden(CodeRegionNotAllowed, "tenant %q may not be served by region %q: use one of its allowed_regions", t.name, region)
	case t.suspended:
		return forbidden(CodeTenantSuspended, "tenant %q is suspended", t.name)
	case len(t.prefixes) > 0 && !slices.ContainsFunc(t.prefixes, func(p netip.Prefix) bool { return p.Contains(client) }):
		return forbidden(CodeAddressNotAllowed, "the address %s is in none of the allowed_cidrs of tenant %q", client, t.name)
	case t.readOnly != nil && isWrite(r.Method):
		return t.readOnly
	}
	return nil
}

// take counts a request to the quota. It comes last: what is refused for another reason costs nothing.
func (t *tenant) take(now time.Time) *rejection {
	if wait, ok := t.bucket.Take(now); !ok {
		return overQuota(wait)
	}
	return nil
}

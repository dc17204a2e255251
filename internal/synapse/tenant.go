package synapse

import (
	"fmt"
	"slices"
	"time"
)

// DatabaseIsolation says how a tenant's rows are kept apart from those of others.
type DatabaseIsolation string

// The isolations of a tenant's data, from the cheapest to the strictest.
const (
	DatabasePool   DatabaseIsolation = "pool"   // shared tables with row-level security
	DatabaseBridge DatabaseIsolation = "bridge" // a schema of its own
	DatabaseSilo   DatabaseIsolation = "silo"   // a database of its own
)

// ComputeIsolation says which processes serve a tenant.
type ComputeIsolation string

// The isolations of a tenant's compute.
const (
	ComputePool ComputeIsolation = "pool" // deployments that serve all tenants
	ComputeSilo ComputeIsolation = "silo" // only deployments made for this tenant
)

// TenantTier is the commercial tier of a tenant.
type TenantTier string

// The tiers.
const (
	TierFree       TenantTier = "free"
	TierStandard   TenantTier = "standard"
	TierEnterprise TenantTier = "enterprise"
)

// TenantState says whether a tenant is served.
type TenantState string

// The states of a tenant.
const (
	TenantActive    TenantState = "active"
	TenantSuspended TenantState = "suspended"
)

// SuspendMode says what a suspended tenant may still do.
type SuspendMode string

// The modes of suspension.
const (
	SuspendReadOnly SuspendMode = "read_only" // GET, HEAD and OPTIONS only
	SuspendDeny     SuspendMode = "deny"      // nothing
)

// TenantSpec is what is wanted of a tenant.
type TenantSpec struct {
	DisplayName        string            `json:"display_name,omitempty" doc:"Name for people. Default: the name."`
	Tier               TenantTier        `json:"tier,omitempty" doc:"Commercial tier: free, standard or enterprise. Default: standard."`
	Isolation          TenantIsolation   `json:"isolation,omitzero" doc:"How the tenant is kept apart from others."`
	HomeRegion         string            `json:"home_region,omitempty" doc:"Region that serves the tenant first."`
	AllowedRegions     []string          `json:"allowed_regions,omitempty" doc:"Regions that may serve the tenant. Empty: all."`
	AllowedCIDRs       []string          `json:"allowed_cidrs,omitempty" doc:"Client address ranges that may send the tenant's requests. Empty: all."`
	Quotas             TenantQuotas      `json:"quotas,omitzero" doc:"Limits. 0 means no limit."`
	State              TenantState       `json:"state,omitempty" doc:"active or suspended. Default: active."`
	SuspendMode        SuspendMode       `json:"suspend_mode,omitempty" doc:"What a suspended tenant may still do: read_only or deny. Default: deny."`
	DeletionProtection *bool             `json:"deletion_protection,omitempty" doc:"Refuse deletion. Default: true."`
	Offboarding        TenantOffboarding `json:"offboarding,omitzero" doc:"What happens when the tenant is deleted."`
}

// TenantIsolation says how a tenant is kept apart from others.
type TenantIsolation struct {
	Database DatabaseIsolation `json:"database,omitempty" doc:"pool (row-level security in shared tables), bridge (own schema) or silo (own database). Default: pool."`
	Compute  ComputeIsolation  `json:"compute,omitempty" doc:"pool (shared deployments) or silo (deployments of its own). Default: pool."`
}

// TenantQuotas are a tenant's limits; 0 means no limit. Rates hold in each region.
type TenantQuotas struct {
	RequestsPerSecond float64 `json:"requests_per_second,omitempty" doc:"Requests per second in each region. 0: no limit."`
	Burst             int     `json:"burst,omitempty" doc:"Requests that may come at once. Default: requests_per_second, rounded up."`
	StorageGiB        float64 `json:"storage_gib,omitempty" doc:"Size of the tenant's data in GiB beyond which writes are refused. 0: no limit."`
}

// TenantOffboarding says what happens when a tenant is deleted.
type TenantOffboarding struct {
	GracePeriod Duration `json:"grace_period,omitempty" doc:"How long the data is kept after deletion, and the tenant can be restored. Default: 720h."`
}

// TenantStatus is what was seen of a tenant.
type TenantStatus struct {
	Status
	Database string `json:"database,omitempty" doc:"PostgreSQL database that holds the tenant's data."`
	Schema   string `json:"schema,omitempty" doc:"Schema that holds the tenant's data."`
	Role     string `json:"role,omitempty" doc:"PostgreSQL role that owns or sees the tenant's data."`
	// Endpoints maps each region that may serve the tenant to its gateway's URL.
	Endpoints map[string]string `json:"endpoints,omitempty" doc:"Gateway URL in each region that may serve the tenant."`
	// PurgeAfter is when an offboarded tenant's data goes.
	PurgeAfter *time.Time `json:"purge_after,omitempty" doc:"When the data of a deleted tenant is purged."`
	// StorageBytes is the measured size of the tenant's data; -1 before the first measurement.
	StorageBytes int64 `json:"storage_bytes,omitempty" doc:"Measured size of the tenant's data in bytes."`
}

// SetDefaults implements [Spec].
func (s *TenantSpec) SetDefaults() {
	setDefault(&s.Tier, TierStandard)
	setDefault(&s.Isolation.Database, DatabasePool)
	setDefault(&s.Isolation.Compute, ComputePool)
	setDefault(&s.State, TenantActive)
	setDefault(&s.SuspendMode, SuspendDeny)
	setDefault(&s.Offboarding.GracePeriod, "720h")
	if s.DeletionProtection == nil {
		protected := true
		s.DeletionProtection = &protected
	}
	if s.Quotas.RequestsPerSecond > 0 && s.Quotas.Burst == 0 {
		s.Quotas.Burst = max(1, int(s.Quotas.RequestsPerSecond+0.999))
	}
	slices.Sort(s.AllowedRegions)
	slices.Sort(s.AllowedCIDRs)
}

// DeletionProtected implements [DeletionProtector].
func (s *TenantSpec) DeletionProtected() bool {
	return s.DeletionProtection == nil || *s.DeletionProtection
}

// MayUse reports whether the tenant may be served by a region.
func (s *TenantSpec) MayUse(region string) bool {
	return len(s.AllowedRegions) == 0 || slices.Contains(s.AllowedRegions, region)
}

// Validate implements [Spec].
func (s *TenantSpec) Validate() []FieldError {
	errs := slices.Concat(
		validateText("/spec/display_name", s.DisplayName, 100),
		validateOneOf("/spec/tier", s.Tier, TierFree, TierStandard, TierEnterprise),
		validateOneOf("/spec/isolation/database", s.Isolation.Database, DatabasePool, DatabaseBridge, DatabaseSilo),
		validateOneOf("/spec/isolation/compute", s.Isolation.Compute, ComputePool, ComputeSilo),
		validateOneOf("/spec/state", s.State, TenantActive, TenantSuspended),
		validateOneOf("/spec/suspend_mode", s.SuspendMode, SuspendReadOnly, SuspendDeny),
		validateCIDRs("/spec/allowed_cidrs", s.AllowedCIDRs),
		validateDuration("/spec/offboarding/grace_period", s.Offboarding.GracePeriod, 0, 10*365*24*time.Hour),
		s.Quotas.validate(),
		s.validateRegions(),
	)
	return errs
}

func (s *TenantSpec) validateRegions() []FieldError {
	var errs []FieldError
	if s.HomeRegion != "" {
		errs = append(errs, ValidateName("/spec/home_region", s.HomeRegion)...)
		if !s.MayUse(s.HomeRegion) {
			errs = append(errs, invalid("/spec/home_region", "%q is not one of allowed_regions: add it there or choose another home", s.HomeRegion))
		}
	}
	for i, region := range s.AllowedRegions {
		at := fmt.Sprintf("/spec/allowed_regions/%d", i)
		errs = append(errs, ValidateName(at, region)...)
		if i > 0 && region == s.AllowedRegions[i-1] {
			errs = append(errs, invalid(at, "%q is listed twice", region))
		}
	}
	return errs
}

func (q TenantQuotas) validate() []FieldError {
	var errs []FieldError
	if !(q.RequestsPerSecond >= 0 && q.RequestsPerSecond <= 1e6) {
		errs = append(errs, invalid("/spec/quotas/requests_per_second", "%v is out of range: it must be between 0 (no limit) and 1,000,000", q.RequestsPerSecond))
	}
	if q.Burst < 0 || q.Burst > 1e6 {
		errs = append(errs, invalid("/spec/quotas/burst", "%d is out of range: it must be between 0 and 1,000,000", q.Burst))
	}
	if q.Burst > 0 && q.RequestsPerSecond == 0 {
		errs = append(errs, invalid("/spec/quotas/burst", "a burst needs requests_per_second: set both or neither"))
	}
	if !(q.StorageGiB >= 0 && q.StorageGiB <= 1<<20) {
		errs = append(errs, invalid("/spec/quotas/storage_gib", "%v is out of range: it must be between 0 (no limit) and 1,048,576", q.StorageGiB))
	}
	return errs
}

// ValidateUpdate implements [UpdateValidator]: no change of a field moves or destroys data.
func (s *TenantSpec) ValidateUpdate(old TenantSpec) []FieldError {
	if s.Isolation.Database != old.Isolation.Database {
		return []FieldError{immutable("/spec/isolation/database",
			"the data cannot be moved from %s to %s in place: create a tenant of another name, copy the data, then delete this one",
			old.Isolation.Database, s.Isolation.Database)}
	}
	return nil
}

// References implements [Spec].
func (s *TenantSpec) References() []Reference {
	var refs []Reference
	if s.HomeRegion != "" {
		refs = append(refs, Reference{"/spec/home_region", Key{Kind: KindRegion, Name: s.HomeRegion}})
	}
	for i, region := range s.AllowedRegions {
		refs = append(refs, Reference{fmt.Sprintf("/spec/allowed_regions/%d", i), Key{Kind: KindRegion, Name: region}})
	}
	return refs
}

// Credentials let a program connect to a tenant's data for a limited time. They are never stored.
type Credentials struct {
	ID        string    `json:"id" doc:"Identifies the credentials, for revoking them."`
	Username  string    `json:"username" doc:"PostgreSQL user."`
	Password  string    `json:"password" doc:"Password of the user."`
	Host      string    `json:"host" doc:"Host of the database write endpoint."`
	Port      int       `json:"port" doc:"Port of the database write endpoint."`
	Database  string    `json:"database" doc:"Database that holds the tenant's data."`
	Schema    string    `json:"schema" doc:"Schema that holds the tenant's data."`
	URL       string    `json:"url" doc:"All of it as a PostgreSQL connection URL."`
	ExpiresAt time.Time `json:"expires_at" doc:"When the credentials stop working."`
}

// CredentialsRequest asks for credentials.
type CredentialsRequest struct {
	TTL Duration `json:"ttl,omitempty" doc:"How long they work: 1m to 24h. Default: 15m."`
}

// SetDefaults fills in what was left out.
func (r *CredentialsRequest) SetDefaults() { setDefault(&r.TTL, "15m") }

// Validate checks the request after SetDefaults.
func (r *CredentialsRequest) Validate() []FieldError {
	return validateDuration("/ttl", r.TTL, time.Minute, 24*time.Hour)
}

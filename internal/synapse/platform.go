package synapse

import "time"

// Platform describes a running control plane.
type Platform struct {
	Version     string `json:"version" doc:"Version of synapsed."`
	APIVersion  string `json:"api_version" doc:"Version of the API."`
	Environment string `json:"environment" doc:"Environment that the control plane runs."`
	// EntryURL is the global entry: it routes to the nearest healthy region.
	EntryURL string `json:"entry_url" doc:"Base URL of the global entry."`
	// DatabaseEndpoint is host:port of the write endpoint, which always leads to the current primary.
	DatabaseEndpoint string   `json:"database_endpoint" doc:"host:port that always leads to the current primary database."`
	Registry         string   `json:"registry" doc:"host:port of the built-in image registry."`
	Regions          []string `json:"regions" doc:"Names of the regions."`
	// TenantFrom says who is believed about the tenant of a request.
	TenantFrom []string `json:"tenant_from,omitempty" doc:"Sources of the tenant of a request: header (X-Synapse-Tenant from any client), trusted-header, host, jwt."`
}

// Production is the name of the environment in which each run of a drill needs an approval, whatever its drill says.
const Production = "production"

// Role is what a token may do.
type Role string

// The roles, each including the ones before it.
const (
	RoleViewer   Role = "viewer"   // read
	RoleOperator Role = "operator" // read and write objects, push images
	RoleAdmin    Role = "admin"    // everything, also tokens
)

// Includes reports whether r may do what other may do.
func (r Role) Includes(other Role) bool { return r.rank() >= other.rank() && other.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case RoleViewer:
		return 1
	case RoleOperator:
		return 2
	case RoleAdmin:
		return 3
	}
	return 0
}

// Token describes an API token, without its secret.
type Token struct {
	Name      string     `json:"name" doc:"Name of the token."`
	Role      Role       `json:"role" enum:"viewer,operator,admin" doc:"What the token may do."`
	CreatedAt time.Time  `json:"created_at" doc:"When it was made."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it stops working; absent: never."`
}

// TokenRequest asks for a new token.
type TokenRequest struct {
	Name string   `json:"name" doc:"Name of the token, unique."`
	Role Role     `json:"role" doc:"What the token may do: viewer, operator or admin."`
	TTL  Duration `json:"ttl,omitempty" doc:"How long it works: 1m to 87600h. Default: for ever."`
}

// Validate checks the request.
func (r *TokenRequest) Validate() []FieldError {
	errs := append(ValidateName("/name", r.Name), validateOneOf("/role", r.Role, RoleViewer, RoleOperator, RoleAdmin)...)
	if r.TTL != "" {
		errs = append(errs, validateDuration("/ttl", r.TTL, time.Minute, 10*365*24*time.Hour)...)
	}
	return errs
}

// IssuedToken is a new token with its secret, which is shown this once.
type IssuedToken struct {
	Token
	Secret string `json:"secret" doc:"The bearer token. It cannot be read again."`
}

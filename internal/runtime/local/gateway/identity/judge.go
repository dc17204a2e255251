package identity

import (
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// HeaderTenant names the tenant that a request is for.
const HeaderTenant = "X-Synapse-Tenant"

// Codes of refusals. Programs may depend on them.
const (
	CodeForwardedInvalid   = "forwarded_invalid"   // a trusted proxy has passed on something that says nothing
	CodeTenantAmbiguous    = "tenant_ambiguous"    // a request says more than one tenant
	CodeTenantNotBelieved  = "tenant_not_believed" // the header X-Synapse-Tenant of somebody who is not to set it
	CodeTokenInvalid       = "token_invalid"       // a token that does not verify
	CodeTenantUnverifiable = "tenant_unverifiable" // the issuer's keys were never had
	keysRetry              = 10 * time.Second      // Retry-After of the latter
	challengeBearer        = `Bearer realm="synapse"`
	challengeInvalid       = challengeBearer + `, error="invalid_token"` // RFC 6750, 3.1
)

// Refusal says why a request is refused and what to do about it. nil means no objection.
type Refusal struct {
	// Status is the HTTP status and Code the code of the problem.
	Status       int
	Code, Detail string
	// Challenge is the value of WWW-Authenticate, or empty.
	Challenge string
	// RetryAfter is when to try again; 0: trying again does not help by itself.
	RetryAfter time.Duration
}

// Proof is how a tenant was proven.
type Proof string

// The proofs.
const (
	ProofNone  Proof = "none"           // somebody said so
	ProofProxy Proof = "trusted-header" // a trusted proxy says so
	ProofToken Proof = "jwt"            // the issuer of a token says so
)

// IsProof reports whether a text is a [Proof].
func IsProof(text string) bool {
	return text == string(ProofNone) || text == string(ProofProxy) || text == string(ProofToken)
}

// Claim is the tenant that a request is for.
type Claim struct {
	// Named says that there is one. Tenant may be anything, the empty name and one that does not exist included.
	Named  bool
	Tenant string
	Proof  Proof
}

// Judge is a [Config] made ready. A nil Judge trusts no proxy and believes anyone's header. It may be used by many goroutines.
type Judge struct {
	config     Config
	proxies    proxies
	proxyToken string
	hosts      []hostPattern
	tokens     *verifier
}

// Next returns a Judge for a valid configuration: j itself, with the keys that it holds, when its configuration is the same.
func (j *Judge) Next(config Config, log *slog.Logger, now func() time.Time) *Judge {
	if j != nil && reflect.DeepEqual(j.config, config) {
		return j
	}
	next := &Judge{config: config, proxyToken: config.ProxyTokenHash}
	next.proxies, _ = parseProxies(config.TrustedProxies) // valid, as the rest is
	for _, text := range config.TenantHosts {
		if pattern, err := parseHostPattern(text); err == nil {
			next.hosts = append(next.hosts, pattern)
		}
	}
	if config.Token != nil {
		next.tokens = newVerifier(*config.Token, log, now)
	}
	return next
}

// Challenge is what an answer 401 says in WWW-Authenticate to a request that brought no proof; empty where a client can bring
// none.
func (j *Judge) Challenge() string {
	if j == nil || j.tokens == nil {
		return ""
	}
	return challengeBearer
}

// Advice says how to say, and to prove, for which tenant a request is.
func (j *Judge) Advice() string {
	if j == nil {
		return "send the header " + HeaderTenant
	}
	var ways []string
	for _, source := range j.config.sources() {
		switch source {
		case FromHeader:
			ways = append(ways, "send the header "+HeaderTenant)
		case FromTrustedHeader:
			ways = append(ways, "send the request through the trusted proxy, which sets "+HeaderTenant)
		case FromHost:
			ways = append(ways, "send the request to the tenant's own host name, "+strings.Join(j.config.TenantHosts, " or "))
		case FromToken:
			way := "send a token from " + j.config.Token.Issuer + " as Authorization: Bearer"
			if j.config.Token.Cookie != "" {
				way += " or in the cookie " + j.config.Token.Cookie
			}
			ways = append(ways, way)
		}
	}
	return strings.Join(ways, ", or ")
}

// Tenant says for which tenant a request is. It may wait for the issuer's keys.
func (j *Judge) Tenant(r *http.Request, origin Origin) (Claim, *Refusal) {
	names := r.Header[HeaderTenant]
	if len(names) > 1 {
		return Claim{}, ambiguous("the header " + HeaderTenant + " was sent more than once")
	}
	claim := Claim{Proof: ProofNone}
	if len(names) == 1 && j.believes(origin) {
		claim.Named, claim.Tenant = true, names[0]
		if origin.Trusted && j.config.Has(FromTrustedHeader) {
			claim.Proof = ProofProxy
		}
	}
	if j == nil {
		return claim, nil
	}
	if name := j.tenantOfHost(origin.Host); name != "" {
		if claim.Named && claim.Tenant != name {
			return claim, ambiguous("the header " + HeaderTenant + " and the host name name different tenants: send the request to the tenant's own host name")
		}
		claim.Named, claim.Tenant = true, name
	}
	if j.tokens != nil {
		name, refused := j.tokens.tenant(r)
		if refused != nil {
			return claim, refused
		}
		if name != "" {
			if claim.Named && claim.Tenant != name {
				return claim, ambiguous("the token is for another tenant than the header " + HeaderTenant + " or the host name: send a token for that tenant")
			}
			claim = Claim{Named: true, Tenant: name, Proof: ProofToken}
		}
	}
	if len(names) == 1 && !j.believes(origin) && (!claim.Named || claim.Tenant != names[0]) {
		return claim, &Refusal{Status: http.StatusForbidden, Code: CodeTenantNotBelieved, Detail: fmt.Sprintf(
			"the header %s is not accepted from this client: leave it out, and %s", HeaderTenant, j.Advice())}
	}
	return claim, nil
}

// believes reports whether the tenant header of a request counts.
func (j *Judge) believes(origin Origin) bool {
	return j == nil || j.config.Has(FromHeader) || origin.Trusted && j.config.Has(FromTrustedHeader)
}

func (j *Judge) tenantOfHost(host string) string {
	if len(j.hosts) == 0 {
		return ""
	}
	host = HostName(host)
	for _, pattern := range j.hosts {
		if name := pattern.tenant(host); name != "" {
			return name
		}
	}
	return ""
}

func ambiguous(detail string) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Code: CodeTenantAmbiguous, Detail: detail}
}

package gateway

import (
	"net/http"
	"net/netip"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// sender is who sent a request, what it asked for, and for which tenant it is.
type sender struct {
	identity.Origin
	claim identity.Claim
}

// identify asks judge, which may be nil, about a request that came from outside. The host that a trusted proxy names takes the
// place of the request's own: routes match by it, and services see it.
func identify(judge *identity.Judge, r *http.Request) (sender, *rejection) {
	origin, refused := judge.Origin(r)
	if refused != nil {
		return sender{Origin: origin}, refusal(refused)
	}
	r.Host = origin.Host
	claim, refused := judge.Tenant(r, origin)
	return sender{origin, claim}, refusal(refused)
}

// identify asks the entry who sent a request, if it comes from there; else the gateway judges itself.
func (g *regionGateway) identify(r *http.Request, t *table) (sender, *rejection) {
	var judge *identity.Judge
	if t != nil {
		judge = t.judge
	}
	if !fromEntry(r, g.internalToken) {
		return identify(judge, r)
	}
	origin := identity.Peer(r)
	if address, err := netip.ParseAddr(r.Header.Get(headerClientIP)); err == nil {
		origin.Client = address
	}
	if said := r.Header.Get(headerClientProto); said == "http" || said == "https" {
		origin.Scheme = said
	}
	proof := r.Header.Get(HeaderTenantProof)
	if !identity.IsProof(proof) { // an entry of a version that did not judge
		claim, refused := judge.Tenant(r, origin)
		return sender{origin, claim}, refusal(refused)
	}
	claim := identity.Claim{Proof: identity.Proof(proof)}
	if names := r.Header[HeaderTenant]; len(names) == 1 {
		claim.Named, claim.Tenant = true, names[0]
	}
	return sender{origin, claim}, nil
}

func refusal(refused *identity.Refusal) *rejection {
	if refused == nil {
		return nil
	}
	return &rejection{
		status: refused.Status, code: refused.Code, detail: refused.Detail, challenge: refused.Challenge, retryAfter: refused.RetryAfter,
	}
}

// demand refuses a request that does not say of its tenant what the service needs to know.
func (x *regionExchange) demand(r *http.Request, need synapse.TenantNeed) *rejection {
	proven := x.sender.claim.Proof != identity.ProofNone
	switch {
	case !need.Includes(synapse.TenantRequired), x.tenant != nil && (proven || need != synapse.TenantProven), isPreflight(r):
		return nil
	case x.tenant == nil:
		refused := &rejection{
			status: http.StatusBadRequest, code: CodeTenantRequired, challenge: x.table.judge.Challenge(),
			detail: "the service requires a tenant: " + x.table.judge.Advice(),
		}
		if refused.challenge != "" {
			refused.status = http.StatusUnauthorized
		}
		return refused
	}
	refused := forbidden(CodeTenantNotProven, "the service requires a proven tenant, and tenant %q is not proven: %s",
		x.tenant.name, x.table.judge.Advice())
	if refused.challenge = x.table.judge.Challenge(); refused.challenge != "" {
		refused.status = http.StatusUnauthorized
	}
	return refused
}

// proofHeaders are the values of [HeaderTenantProof], shared by all requests and never changed.
var proofHeaders = map[identity.Proof][]string{
	identity.ProofNone: {string(identity.ProofNone)}, identity.ProofProxy: {string(identity.ProofProxy)}, identity.ProofToken: {string(identity.ProofToken)},
}

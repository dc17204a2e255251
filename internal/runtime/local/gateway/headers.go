package gateway

import (
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/admin"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/observer"
)

// Headers that clients send.
const (
	// HeaderTenant names the tenant that a request is for.
	HeaderTenant = identity.HeaderTenant
	// HeaderDeployment picks one deployment of the service; the answer says which one served.
	HeaderDeployment = "X-Synapse-Deployment"
	// HeaderPreferRegion asks the entry for a region, which it uses if it is healthy and the tenant may use it.
	HeaderPreferRegion = "X-Synapse-Prefer-Region"
	// HeaderRequestID identifies a request in logs; it is made where absent and comes back with the answer.
	HeaderRequestID = "X-Request-Id"
)

// Headers that services get. What a client sends in their place is removed.
const (
	HeaderTenantRole      = "X-Synapse-Tenant-Role"
	HeaderTenantDatabase  = "X-Synapse-Tenant-Database"
	HeaderTenantSchema    = "X-Synapse-Tenant-Schema"
	HeaderTenantIsolation = "X-Synapse-Tenant-Isolation"
	// HeaderTenantProof says how the tenant was proven, as [identity.Proof]; the entry tells it to a region gateway as well.
	HeaderTenantProof = "X-Synapse-Tenant-Proof"
	// HeaderMirrored is true in copies of requests, whose answers nobody sees.
	HeaderMirrored = "X-Synapse-Mirrored"
)

// Headers of answers.
const (
	// HeaderRegion names the region that answered; services get it too.
	HeaderRegion = observer.HeaderRegion
	// HeaderService names the service that answered.
	HeaderService = "X-Synapse-Service"
	// HeaderRevision names the revision of the replica that answered.
	HeaderRevision = "X-Synapse-Revision"
	// HeaderSplit names the split on whose route a request was, and HeaderBackend the backend of it that answered.
	HeaderSplit   = "X-Synapse-Split"
	HeaderBackend = "X-Synapse-Backend"
	// HeaderStatus is the HTTP status that a gateway's refusal of a request of gRPC stands for: its own is 200.
	HeaderStatus = "X-Synapse-Status"
	// HeaderNoEndpoint is 1 in a region's refusal, 503, that was given before anything was done: another region may serve.
	HeaderNoEndpoint = "X-Synapse-No-Endpoint"
)

const (
	// headerClientIP carries the client's address from the entry to a region gateway.
	headerClientIP = "X-Synapse-Client-Ip"
	// headerClientProto carries the scheme that the client used, http or https, from the entry to a region gateway.
	headerClientProto = "X-Synapse-Client-Proto"
	// headerInternal proves to a region gateway that a request comes from the entry.
	headerInternal = "X-Synapse-Internal-Token"

	headerForwardedFor    = "X-Forwarded-For"
	headerForwardedHost   = "X-Forwarded-Host"
	headerForwardedProto  = "X-Forwarded-Proto"
	headerForwardedPrefix = "X-Forwarded-Prefix"
	headerRealIP          = "X-Real-Ip"
)

// healthPath answers 200 on the public port of gateways and entry, with the region in a header.
const healthPath = observer.HealthPath

// internalToken derives what [headerInternal] carries: not the shared token itself, so that a process that gets hold
// of a region's port learns nothing that opens the admin port.
func internalToken(token string) string { return admin.Derive(token, "client address from the entry") }

// fromEntry reports whether token proves that a request comes from the entry.
func fromEntry(r *http.Request, token string) bool {
	given := r.Header[headerInternal]
	return len(given) == 1 && subtle.ConstantTimeCompare([]byte(given[0]), []byte(token)) == 1
}

// requestID returns the id that the client gave, or a new one when that is missing or unfit for a log.
func requestID(r *http.Request) string {
	if id := r.Header.Get(HeaderRequestID); id != "" && len(id) <= 128 && isHeaderValue(id) {
		return id
	}
	// It needs to be unique, not secret. Each request needs one: formatting it with fmt took 6 % of a gateway's time.
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// isWrite reports whether a request may change something: RFC 9110, 9.2.1.
func isWrite(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

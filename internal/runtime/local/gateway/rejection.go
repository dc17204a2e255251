package gateway

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/problem"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Codes of the problems that gateways and entry answer, beside those in package synapse. Programs may depend on them.
const (
	CodeServiceNotFound    = "service_not_found"
	CodeDeploymentNotFound = "deployment_not_found"
	CodeTenantNotFound     = "tenant_not_found"
	CodeTenantAmbiguous    = identity.CodeTenantAmbiguous
	CodeTenantRequired     = "tenant_required"   // the service needs one
	CodeTenantNotProven    = "tenant_not_proven" // the service needs one that is proven
	CodeRegionNotAllowed   = "region_not_allowed"
	CodeTenantHeld         = "tenant_held" // its data is where it may not be
	CodeTenantSuspended    = "tenant_suspended"
	CodeTenantReadOnly     = "tenant_read_only"
	CodeStorageExceeded    = "storage_exceeded"
	CodeAddressNotAllowed  = "address_not_allowed"
	CodeQuotaExceeded      = "quota_exceeded"
	CodePreflightsExceeded = "preflights_exceeded"
	CodePathAmbiguous      = "path_ambiguous" // a segment of the path is . or ..
	CodeTunnelRefused      = "tunnel_refused" // the method is CONNECT
	CodeLoopDetected       = "loop_detected"  // a backend leads back to the platform
	CodeNoEndpoint         = "no_endpoint"
	CodeNoRegion           = "no_region"
	CodeUpstreamFailed     = "upstream_failed"    // an endpoint gave no answer that can be passed on
	CodeResponseTimeout    = "response_timeout"   // an endpoint did not answer in time
	CodeRequestTimeout     = "request_timeout"    // the client's body paused for too long
	CodeRequestMalformed   = "request_malformed"  // the client's body is not framed as it must be
	CodeRequestUnreadable  = "request_unreadable" // the client's body could not be read
)

const (
	// unavailableRetry is the Retry-After of a 503: endpoints come and go within seconds.
	unavailableRetry = time.Second
	// heldRetry is that of a tenant held back: databases move within minutes at best.
	heldRetry = 30 * time.Second
)

// rejection is a refusal to serve a request. It is an immutable value; nil means no objection.
type rejection struct {
	status       int
	code, detail string
	challenge    string        // for WWW-Authenticate, or empty
	retryAfter   time.Duration // 0: trying again does not help by itself
	noEndpoint   bool          // nothing was done: another region may serve
}

func forbidden(code, format string, args ...any) *rejection {
	return &rejection{status: http.StatusForbidden, code: code, detail: fmt.Sprintf(format, args...)}
}

func notFound(code, format string, args ...any) *rejection {
	return &rejection{status: http.StatusNotFound, code: code, detail: fmt.Sprintf(format, args...)}
}

func unavailable(code, format string, args ...any) *rejection {
	return &rejection{
		status: http.StatusServiceUnavailable, code: code, detail: fmt.Sprintf(format, args...),
		retryAfter: unavailableRetry, noEndpoint: true,
	}
}

// held refuses a tenant everywhere: unlike [unavailable], it does not send the entry to another region.
func held(tenant string) *rejection {
	return &rejection{
		status: http.StatusServiceUnavailable, code: CodeTenantHeld, retryAfter: heldRetry,
		detail: fmt.Sprintf("tenant %q is held back: after a failover the primary database is in a region that is not one of its allowed_regions, "+
			"and its data must not be written there. It is served again when the database is back in a region that it allows", tenant),
	}
}

func overQuota(wait time.Duration) *rejection {
	return &rejection{
		status: http.StatusTooManyRequests, code: CodeQuotaExceeded, retryAfter: wait,
		detail: "the tenant's requests per second are used up: send fewer, or raise quotas.requests_per_second",
	}
}

// upstreamFailed says why who, such as "the service", gave no answer that can be passed on.
func upstreamFailed(who string, reason fault.Reason) *rejection {
	if reason == fault.ResponseTimeout {
		return &rejection{status: http.StatusGatewayTimeout, code: CodeResponseTimeout, detail: who + " failed (" + string(reason) + "): " + reason.Explain()}
	}
	return &rejection{status: http.StatusBadGateway, code: CodeUpstreamFailed, detail: who + " failed (" + string(cmp.Or(reason, fault.ConnectionClosed)) + "): " + reason.Explain()}
}

// noTunnel refuses CONNECT, whose answer is no answer but the begin of a connection to somewhere: RFC 9110, 9.3.6.
func noTunnel() *rejection {
	return &rejection{status: http.StatusNotImplemented, code: CodeTunnelRefused, detail: "CONNECT is not supported: this is not a forward proxy"}
}

func requestTimeout() *rejection {
	return &rejection{status: http.StatusRequestTimeout, code: CodeRequestTimeout, detail: "the request's body paused for too long: send it again"}
}

func malformedBody() *rejection {
	return &rejection{status: http.StatusBadRequest, code: CodeRequestMalformed, detail: "the framing of the request's body violates RFC 9112: send chunk sizes in hexadecimal, and end each line with CR LF"}
}

// asking is what a refusal must know of the request that it answers.
type asking struct {
	grpc bool
	// deadline is when a client of gRPC no longer waits; zero is never.
	deadline time.Time
	// unread says that the end of the request is somewhere behind what nobody reads: its connection is of no more use, and
	// HTTP/1.1 would wait for that end before it answers.
	unread bool
}

func askedBy(r *http.Request) asking {
	asked := asking{grpc: isGRPC(r.Header), unread: r.ProtoMajor < 2 && r.ContentLength < 0}
	if timeout, given := grpcTimeout(r.Header); asked.grpc && given {
		asked.deadline = time.Now().Add(timeout)
	}
	return asked
}

// write answers with the problem, or in a way that clients of gRPC understand.
func (r *rejection) write(w http.ResponseWriter, requestID string, asked asking) {
	if asked.unread {
		w.Header().Set("Connection", "close")
	}
	if r.noEndpoint {
		w.Header().Set(HeaderNoEndpoint, "1")
	}
	if r.challenge != "" {
		w.Header().Set("WWW-Authenticate", r.challenge)
	}
	if requestID != "" {
		w.Header().Set(HeaderRequestID, requestID)
	}
	if asked.grpc {
		r.writeGRPC(w, asked)
		return
	}
	problem.Write(w, synapse.Problem{
		Status: r.status, Code: r.code, Detail: r.detail, RequestID: requestID, RetryAfterSeconds: wholeSeconds(r.retryAfter),
	})
}

// wholeSeconds rounds up: who waits that long is not too early. Retry-After knows no fractions (RFC 9110, 10.2.3).
func wholeSeconds(d time.Duration) int {
	return int(math.Ceil(d.Seconds()))
}

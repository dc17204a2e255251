package synapse

import (
	"fmt"
	"strings"
)

// Stable codes of problems and field errors. Programs may depend on them; titles and details are for people.
const (
	CodeInvalid           = "invalid"             // a field's value is not acceptable
	CodeImmutable         = "immutable"           // a field cannot change
	CodeReferenceNotFound = "reference_not_found" // a field names an object that does not exist
	CodeRegionNotServed   = "region_not_served"   // a field names a deployment that does not run where it is needed
	CodeServing           = "serving"             // of warnings: a change reaches users at once
	CodeNotFound          = "not_found"
	CodeGone              = "gone" // the object is being deleted
	CodeAlreadyExists     = "already_exists"
	CodeTenantOffboarded  = "tenant_offboarded" // the name belongs to a tenant whose data is still kept
	CodeConflict          = "conflict"          // If-Match did not hold: someone else wrote in between
	CodeDeletionProtected = "deletion_protected"
	CodeDependentsExist   = "dependents_exist" // other objects refer to this one
	CodeIdempotencyReused = "idempotency_key_reused"
	CodeUnauthenticated   = "unauthenticated"
	CodeForbidden         = "forbidden"
	CodeRateLimited       = "rate_limited"
	CodeUnavailable       = "unavailable"
	CodeInternal          = "internal"
)

// FieldError says what is wrong with one field of a request, and what to do about it.
type FieldError struct {
	// Pointer is the field's JSON pointer (RFC 6901) in the request's body, e.g. /spec/quotas/burst.
	Pointer string `json:"pointer" doc:"JSON pointer (RFC 6901) of the field in the request."`
	Code    string `json:"code" doc:"Stable code for programs."`
	Message string `json:"message" doc:"What is wrong and what to do, as a sentence."`
	// Reference is the object that was not found, for CodeReferenceNotFound, or the deployment, for CodeRegionNotServed.
	Reference *Key `json:"reference,omitempty" doc:"The object that was not found, for reference_not_found, or the deployment, for region_not_served."`
}

// Error implements error.
func (e FieldError) Error() string { return e.Pointer + ": " + e.Message }

// Problem is the API's error document: RFC 9457 with a stable code and the fields at fault.
type Problem struct {
	Type   string `json:"type,omitempty" doc:"URI of the kind of problem; about:blank when absent."`
	Title  string `json:"title" doc:"The kind of problem in a few words."`
	Status int    `json:"status" doc:"The HTTP status code."`
	Detail string `json:"detail,omitempty" doc:"What happened this time, and what to do."`
	Code   string `json:"code" doc:"Stable code for programs."`
	// RequestID finds the request in the daemon's log.
	RequestID string       `json:"request_id,omitempty" doc:"Finds the request in the server's log."`
	Errors    []FieldError `json:"errors,omitempty" doc:"The fields at fault."`
	// RetryAfterSeconds repeats the Retry-After header; 0 when trying again is of no use by itself.
	RetryAfterSeconds int `json:"retry_after_seconds,omitempty" doc:"When to try again, in seconds, as in the Retry-After header."`
}

// Error implements error: the title, the detail and each field.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Title)
	if p.Detail != "" {
		b.WriteString(": " + p.Detail)
	}
	for _, field := range p.Errors {
		fmt.Fprintf(&b, "; %s", field.Error())
	}
	return b.String()
}

// GetStatus returns the HTTP status code.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type of the document, for a problem that is sent as JSON.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

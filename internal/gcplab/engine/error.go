package engine

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
)

// Error is an answer that refuses a request, as Google's APIs give it: https://cloud.google.com/apis/design/errors for the
// canonical form, and https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-api-errors for the list of
// reasons that the older APIs (Compute, Cloud SQL, DNS, Storage) add.
type Error struct {
	// Code is the HTTP status.
	Code int
	// Status is the canonical code, for example "INVALID_ARGUMENT"; left empty, it follows from Code.
	Status string
	// Reason is what the older APIs say, for example "resourceInUseByAnotherResource"; left empty, it follows from Code.
	Reason string
	// Message is for people.
	Message string
	// Violations are the fields at fault, where there are any.
	Violations []discovery.Violation
	// RetryAfter is in seconds; 0 is none.
	RetryAfter int
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Code, e.status(), e.Message) }

// Errorf makes an Error with a reason of the older APIs; "" takes the usual one for the HTTP status.
func Errorf(code int, reason, format string, args ...any) *Error {
	return &Error{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Preconditionf makes the error of a request that is right in itself, but not now: 400 FAILED_PRECONDITION.
func Preconditionf(format string, args ...any) *Error {
	return &Error{Code: http.StatusBadRequest, Status: "FAILED_PRECONDITION", Reason: "failedPrecondition", Message: fmt.Sprintf(format, args...)}
}

func (e *Error) status() string {
	if e.Status != "" {
		return e.Status
	}
	return map[int]string{
		http.StatusBadRequest:          "INVALID_ARGUMENT",
		http.StatusUnauthorized:        "UNAUTHENTICATED",
		http.StatusForbidden:           "PERMISSION_DENIED",
		http.StatusNotFound:            "NOT_FOUND",
		http.StatusConflict:            "ALREADY_EXISTS",
		http.StatusPreconditionFailed:  "FAILED_PRECONDITION",
		http.StatusTooManyRequests:     "RESOURCE_EXHAUSTED",
		http.StatusNotImplemented:      "UNIMPLEMENTED",
		http.StatusInternalServerError: "INTERNAL",
		http.StatusServiceUnavailable:  "UNAVAILABLE",
	}[e.Code]
}

func (e *Error) reason() string {
	switch {
	case e.Reason != "":
		return e.Reason
	case e.Status == "ABORTED":
		return "aborted"
	}
	return map[int]string{
		http.StatusBadRequest:          "badRequest",
		http.StatusUnauthorized:        "authError",
		http.StatusForbidden:           "forbidden",
		http.StatusNotFound:            "notFound",
		http.StatusConflict:            "alreadyExists",
		http.StatusPreconditionFailed:  "conditionNotMet",
		http.StatusTooManyRequests:     "rateLimitExceeded",
		http.StatusNotImplemented:      "notImplemented",
		http.StatusInternalServerError: "backendError",
		http.StatusServiceUnavailable:  "backendError",
	}[e.Code]
}

// MarshalJSON gives the body that Google sends.
func (e *Error) MarshalJSON() ([]byte, error) {
	inner := Object{
		"code": e.Code, "message": e.Message, "status": e.status(),
		"errors": []any{Object{"message": e.Message, "domain": "global", "reason": e.reason()}},
	}
	if len(e.Violations) > 0 {
		fields := make([]any, len(e.Violations))
		for i, violation := range e.Violations {
			fields[i] = Object{"field": violation.ProtoField(), "description": violation.Description}
		}
		inner["details"] = []any{Object{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}}
	}
	return json.Marshal(Object{"error": inner})
}

package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// newProblem makes a problem whose code and title follow from the status.
func newProblem(status int, format string, args ...any) *synapse.Problem {
	return &synapse.Problem{Title: http.StatusText(status), Status: status, Code: codeOf(status), Detail: fmt.Sprintf(format, args...)}
}

func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return synapse.CodeUnauthenticated
	case http.StatusForbidden:
		return synapse.CodeForbidden
	case http.StatusNotFound:
		return synapse.CodeNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return synapse.CodeConflict
	case http.StatusTooManyRequests:
		return synapse.CodeRateLimited
	case http.StatusServiceUnavailable:
		return synapse.CodeUnavailable
	case http.StatusInternalServerError:
		return synapse.CodeInternal
	}
	return synapse.CodeInvalid
}

// writeProblem sends a problem outside of huma.
func writeProblem(w http.ResponseWriter, r *http.Request, p *synapse.Problem) {
	completed := complete(p, infoOf(r.Context()).id)
	w.Header().Set("Content-Type", p.ContentType(""))
	if completed.RetryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(completed.RetryAfterSeconds))
	}
	w.WriteHeader(completed.Status)
	// An error of writing means that the client went away.
	_ = json.NewEncoder(w).Encode(completed)
}

// complete returns a copy with what belongs to this request. The original may be shared.
func complete(p *synapse.Problem, requestID string) *synapse.Problem {
	completed := *p
	completed.RequestID = requestID
	return &completed
}

// transform is the last step before huma sends an answer: it turns each kind of error into a problem document.
func (s *server) transform(ctx huma.Context, _ string, value any) (any, error) {
	var p *synapse.Problem
	switch value := value.(type) {
	case *synapse.Problem:
		p = value
	case *huma.ErrorModel:
		p = fromHuma(value)
	default:
		return value, nil
	}
	completed := complete(p, infoOf(ctx.Context()).id)
	if completed.RetryAfterSeconds > 0 {
		ctx.SetHeader("Retry-After", strconv.Itoa(completed.RetryAfterSeconds))
	}
	return completed, nil
}

// fromHuma turns what huma found wrong, which is in path, query and headers, into a problem.
func fromHuma(model *huma.ErrorModel) *synapse.Problem {
	if model.Status >= http.StatusInternalServerError {
		return newProblem(model.Status, "the server failed: its log has more under this request id")
	}
	errs := make([]synapse.FieldError, 0, len(model.Errors))
	for _, detail := range model.Errors {
		if detail != nil {
			errs = append(errs, synapse.FieldError{Pointer: toPointer(detail.Location), Code: synapse.CodeInvalid, Message: detail.Message})
		}
	}
	if len(errs) == 0 {
		return newProblem(model.Status, "%s", model.Detail)
	}
	p := object.InvalidFields(errs)
	p.Status = model.Status
	return p
}

// toPointer turns huma's location, such as query.limit, into a JSON pointer.
func toPointer(location string) string {
	place, name, found := strings.Cut(location, ".")
	if !found {
		return "/" + synapse.EscapePointer(location)
	}
	return "/" + place + "/" + synapse.EscapePointer(name)
}

// fault turns an error that is not meant for clients into one that is: what a runtime says can wait or be corrected, and
// for the rest a problem without internals. What went wrong goes to the log.
func (s *server) fault(ctx context.Context, err error) *synapse.Problem {
	info := infoOf(ctx)
	if p, ok := errors.AsType[*synapse.Problem](err); ok {
		return p
	}
	if pending, ok := errors.AsType[*runtime.PendingError](err); ok {
		p := newProblem(http.StatusServiceUnavailable, "%s", pending.Message)
		p.RetryAfterSeconds = max(1, int(pending.After.Seconds()))
		return p
	}
	if permanent, ok := errors.AsType[*runtime.PermanentError](err); ok {
		return object.InvalidFields([]synapse.FieldError{{Pointer: permanent.Field, Code: synapse.CodeInvalid, Message: permanent.Message}})
	}
	if ctx.Err() != nil {
		// The client went away; nobody reads this answer.
		return newProblem(http.StatusServiceUnavailable, "the request was given up")
	}
	s.Log.Error("request failed", slog.String("request_id", info.id), slog.String("actor", info.actor), slog.Any("error", err))
	return newProblem(http.StatusInternalServerError, "the server failed: its log has more under this request id")
}

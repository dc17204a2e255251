package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxBody is the largest request body in bytes; the API's objects are far smaller.
const maxBody = 64 << 10

// Problem is an error with the HTTP status and the sentence that the client gets to see.
type Problem struct {
	Status  int    `json:"status"`
	Message string `json:"error"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Message }

// Refuse makes a [Problem].
func Refuse(status int, format string, args ...any) error {
	return &Problem{Status: status, Message: fmt.Sprintf(format, args...)}
}

// BadRequest is a [Problem] that the client has to mend.
func BadRequest(format string, args ...any) error {
	return Refuse(http.StatusBadRequest, format, args...)
}

// Decode reads the one JSON object in a request's body. Fields it does not know are refused: they are typing errors.
func Decode(r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return Refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", tooLarge.Limit)
		}
		return BadRequest("the body is not the JSON object expected: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return BadRequest("the body has something after the JSON object")
	}
	return nil
}

// Write answers with a JSON value.
func Write(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that has gone away needs no answer
	return nil
}

// fail answers with an error: what clients can act on is said, the rest is logged only.
func fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	problem := problemOf(err)
	if problem.Status >= http.StatusInternalServerError {
		log.ErrorContext(r.Context(), "request failed",
			"method", r.Method, "path", r.URL.Path, "request_id", r.Header.Get("X-Request-Id"), "error", err)
	}
	if problem.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	_ = Write(w, problem.Status, problem) // a Problem always marshals
}

// SQLSTATE codes of PostgreSQL's documentation, appendix A.
const (
	codeUniqueViolation       = "23505"
	codeReadOnlyTransaction   = "25006"
	codeInsufficientPrivilege = "42501"
	codeUndefinedTable        = "42P01"
	codeUndefinedSchema       = "3F000"
	codeUndefinedDatabase     = "3D000"
)

func problemOf(err error) *Problem {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Problem{http.StatusServiceUnavailable, "the database did not answer in time: try again"}
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return &Problem{http.StatusServiceUnavailable, "the database cannot be reached: try again"}
	}
	switch sqlState(err) {
	case codeUniqueViolation:
		return &Problem{http.StatusConflict, "it exists already"}
	case codeReadOnlyTransaction:
		return &Problem{http.StatusServiceUnavailable, "the database takes no writes now: try again"}
	case codeInsufficientPrivilege:
		return &Problem{http.StatusForbidden, "the tenant may not do this"}
	}
	return &Problem{http.StatusInternalServerError, "an internal error: the service's log says more"}
}

func sqlState(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgErr.Code
	}
	return ""
}

package object

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// problem makes an error for the client. The title follows from the code.
func problem(status int, code, format string, args ...any) *synapse.Problem {
	return &synapse.Problem{Title: title(status, code), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

func title(status int, code string) string {
	if code == synapse.CodeInvalid && status == http.StatusUnprocessableEntity {
		return "The request is not valid"
	}
	words := strings.ReplaceAll(code, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// retry says that trying again soon may be of use.
func retry(p *synapse.Problem) *synapse.Problem {
	p.RetryAfterSeconds = 1
	return p
}

// InvalidFields is the problem of a request whose fields are at fault. Its code is that of the fields when they agree.
func InvalidFields(errs []synapse.FieldError) *synapse.Problem {
	code := errs[0].Code
	for _, err := range errs {
		if err.Code != code {
			code = synapse.CodeInvalid
		}
	}
	p := problem(http.StatusUnprocessableEntity, code, "%d fields of the request are at fault", len(errs))
	if len(errs) == 1 {
		p.Detail = errs[0].Error()
	}
	p.Title = "The request is not valid"
	p.Errors = errs
	return p
}

// NotFound is the problem of an object that does not exist.
func NotFound(key synapse.Key) *synapse.Problem {
	return problem(http.StatusNotFound, synapse.CodeNotFound, "there is no %s", key)
}

func alreadyExists(meta synapse.Meta) *synapse.Problem {
	key := meta.Key()
	return problem(http.StatusConflict, synapse.CodeAlreadyExists,
		"%s exists already (uid %s, created %s). Choose another name, or manage the existing one: terraform import synapse_%s.ADDRESS %s",
		key, meta.UID, meta.CreatedAt.Format("2006-01-02 15:04:05 MST"), key.Kind, key.ID())
}

func gone(key synapse.Key) *synapse.Problem {
	return retry(problem(http.StatusConflict, synapse.CodeGone,
		"%s is being deleted: its name can be used again when that is done", key))
}

func conflict(key synapse.Key, current int64) *synapse.Problem {
	return problem(http.StatusPreconditionFailed, synapse.CodeConflict,
		"%s was changed in between: its resource_version is %d now. Read it again, and repeat the change on what you see", key, current)
}

func keyReused() *synapse.Problem {
	return problem(http.StatusUnprocessableEntity, synapse.CodeIdempotencyReused,
		"this Idempotency-Key came with another request before: a new request needs a new key")
}

func createdAndGone(key synapse.Key) *synapse.Problem {
	return problem(http.StatusGone, synapse.CodeGone,
		"%s was created by a request with this Idempotency-Key, and was deleted since: use a new key to create it anew", key)
}

func deletionProtected(key synapse.Key) *synapse.Problem {
	return problem(http.StatusConflict, synapse.CodeDeletionProtected,
		"%s is protected from deletion: set deletion_protection = false and apply that first, then delete it", key)
}

func dependentsExist(key synapse.Key, dependents []synapse.Key) *synapse.Problem {
	names := make([]string, len(dependents))
	for i, dependent := range dependents {
		names[i] = dependent.String()
	}
	if len(dependents) > maxNamedDependents {
		names = append(names[:maxNamedDependents], "others")
	}
	return retry(problem(http.StatusConflict, synapse.CodeDependentsExist,
		"%s is in use by %s: delete those first, or make them use something else", key, strings.Join(names, ", ")))
}

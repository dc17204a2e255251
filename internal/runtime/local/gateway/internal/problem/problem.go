// Package problem writes RFC 9457 problem documents.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Write answers a request with a problem: its status, its document, and Retry-After when RetryAfterSeconds is set.
// The title is the status's text when empty.
func Write(w http.ResponseWriter, p synapse.Problem) {
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	// A problem holds strings and numbers only: encoding it cannot fail.
	body, _ := json.Marshal(p)
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	if p.RetryAfterSeconds > 0 {
		header.Set("Retry-After", strconv.Itoa(p.RetryAfterSeconds))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

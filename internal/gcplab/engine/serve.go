package engine

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
)

// maxBody is more than Google takes of one request.
const maxBody = 10 << 20

// ServeHTTP answers requests to /HOST/PATH, for example /compute.googleapis.com/compute/v1/projects/p/global/networks.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	entry := Request{Time: c.clock(), HTTPMethod: r.Method, Path: r.URL.EscapedPath()}
	status, body := http.StatusOK, any(nil)
	call, err := c.route(r)
	if call != nil {
		entry.Method = call.Method.ID
	}
	if err == nil {
		body, err = c.answer(r, call)
	}
	if err != nil {
		var refusal *Error
		if !errors.As(err, &refusal) {
			refusal = &Error{Code: http.StatusInternalServerError, Message: err.Error()}
		}
		if refusal.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(refusal.RetryAfter))
		}
		status, body, entry.Message = refusal.Code, refusal, refusal.Message
	}
	raw, err := json.Marshal(body)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"error":{"code":500,"message":"the answer cannot be written as JSON"}}`)
	}
	if body == nil {
		raw = nil
		if status == http.StatusOK {
			status = http.StatusNoContent
		}
	}
	entry.Status, entry.Took = status, time.Since(start)
	// In the log before the client has its answer: whoever looks then finds its request there.
	c.record(entry)
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

func (c *Cloud) route(r *http.Request) (*Call, error) {
	service, path := c.serviceOf(strings.TrimPrefix(r.URL.EscapedPath(), "/"))
	if service == nil {
		return nil, Errorf(http.StatusNotFound, "", "gcplab has no service at %s", r.URL.Path)
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(token), []byte(c.token)) != 1 {
		return nil, Errorf(http.StatusUnauthorized, "", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.")
	}
	for _, api := range service.APIs {
		match, _ := api.Find(r.Method, path)
		if match == nil {
			continue
		}
		call := &Call{Cloud: c, Service: service, Method: match.Method, Path: match.Path, Parameters: match.Parameters, Query: map[string]string{}}
		for name, values := range r.URL.Query() {
			call.Query[name] = values[0]
		}
		return call, nil
	}
	return nil, Errorf(http.StatusNotFound, "", "The requested URL %s was not found on this server.", r.URL.Path)
}

// serviceOf returns the service that a path begins with, and the rest of the path. A few clients keep just the part of an
// endpoint behind its host; what they then ask for begins with what is the service's own: "/dns/v1/…".
func (c *Cloud) serviceOf(path string) (*Service, string) {
	host, rest, _ := strings.Cut(path, "/")
	for _, service := range c.services {
		if service.Host() == host {
			return service, rest
		}
	}
	for _, service := range c.services {
		for _, api := range service.APIs {
			if strings.Contains(api.Prefix(), "/") && strings.HasPrefix(path, api.Prefix()+"/") {
				return service, path
			}
		}
	}
	return nil, path
}

// answer does what the call asks for. Only waiting for an operation, or for a fault that delays, happens unlocked.
func (c *Cloud) answer(r *http.Request, call *Call) (any, error) {
	if err := call.read(r); err != nil {
		return nil, err
	}
	c.mu.Lock()
	call.fault = c.take(call)
	c.mu.Unlock()
	if fault := call.fault; fault != nil && !fault.Operation {
		if fault.Status != 0 {
			return nil, fault.error()
		}
		if call.Method.Response != "Operation" {
			wait(r, fault.Delay)
		}
	}
	if strings.HasSuffix(strings.ToLower(call.Method.Collection()), "operations") && (call.Method.Verb() == "get" || call.Method.Verb() == "wait") {
		return c.poll(r, call)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	if err := call.checkProject(); err != nil {
		return nil, err
	}
	return call.do()
}

func (c *Cloud) poll(r *http.Request, call *Call) (any, error) {
	c.mu.Lock()
	operation, err := call.operation()
	if err != nil {
		c.mu.Unlock()
		return nil, err
	}
	remaining := operation.End.Sub(c.clock())
	c.mu.Unlock()
	wait(r, min(remaining, longPoll))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	return call.Service.Operation(operation), nil
}

func wait(r *http.Request, duration time.Duration) {
	if duration <= 0 {
		return
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

func (c *Call) read(r *http.Request) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return Errorf(http.StatusBadRequest, "badRequest", "The request cannot be read: %v", err)
	}
	if len(raw) > maxBody {
		return Errorf(http.StatusRequestEntityTooLarge, "uploadTooLarge", "Request payload size exceeds the limit: %d bytes.", maxBody)
	}
	if c.Method.Request == "" || len(bytes.TrimSpace(raw)) == 0 {
		c.Body = Object{}
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	body := Object{}
	if err := decoder.Decode(&body); err != nil {
		return Errorf(http.StatusBadRequest, "parseError", "Invalid JSON payload received. %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Errorf(http.StatusBadRequest, "parseError", "Invalid JSON payload received. There is more behind its end.")
	}
	for _, field := range c.Service.Undocumented[c.Method.Collection()] {
		drop(body, strings.Split(field, "."))
	}
	var violations []discovery.Violation
	c.Body, violations = c.Method.API().Conform(c.Method.Request, body)
	if len(violations) == 0 {
		return nil
	}
	return c.invalid(violations)
}

func (c *Call) invalid(violations []discovery.Violation) *Error {
	if c.Service.Invalid != nil {
		if refusal := c.Service.Invalid(c, violations); refusal != nil {
			return refusal
		}
	}
	lines, reason := make([]string, len(violations)), "required"
	for i, violation := range violations {
		lines[i] = violation.Description
		if violation.Kind != discovery.MissingField {
			reason = "invalid"
		}
	}
	return &Error{Code: http.StatusBadRequest, Reason: reason, Message: strings.Join(lines, "\n"), Violations: violations}
}

func (c *Call) checkProject() error {
	id := c.After("projects")
	if id == "" {
		return nil
	}
	if _, ok := c.Cloud.Project(id); !ok {
		if c.Service.NoProject != nil {
			return c.Service.NoProject(c, id)
		}
		return &Error{Code: http.StatusForbidden,
			Message: "Permission denied on resource project " + id + " (or it may not exist)."}
	}
	return nil
}

// drop removes a field at a path, from each element where the path leads through a list.
func drop(value any, path []string) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			drop(element, path)
		}
	case Object:
		if len(path) == 1 {
			delete(value, path[0])
			return
		}
		drop(value[path[0]], path[1:])
	}
}

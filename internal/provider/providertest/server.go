// Package providertest holds what the provider's tests share: a small stateful stand-in for synapsed that records
// requests and fails on demand, and a host that speaks Terraform's protocol with the provider in this process.
package providertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Request is one request that a [Server] got.
type Request struct {
	Method, Path string
	Query        map[string][]string
	Header       http.Header
	Body         string
}

// DryRun reports whether the request asked for no effect.
func (r Request) DryRun() bool { return len(r.Query["dry_run"]) > 0 }

// Server is a stand-in for synapsed that keeps its objects in memory.
type Server struct {
	URL string

	mu       sync.Mutex
	objects  map[string]*Object // by path
	version  int64
	requests []Request
	answers  map[string]json.RawMessage // by idempotency key
	react    func(*Object)
	resolve  func(*Object)
	reject   func(Request) *synapse.Problem
	disturb  func(Request) Disturbance
	runs     Runs
	left     map[string]int // reads until a run ends, by its name

	checkReferences bool
}

// Disturbance is what goes wrong with a request.
type Disturbance int

// What can go wrong.
const (
	Nothing    Disturbance = iota
	Overloaded             // 429 with Retry-After: 0
	Restarting             // 503 without a problem document, as a proxy answers
	CutBefore              // the connection breaks off, and nothing was done
	CutAfter               // it was done, and the connection breaks off in the middle of the answer
)

// Object is an object of any kind, as JSON knows it.
type Object struct {
	synapse.Meta
	Spec   map[string]any `json:"spec"`
	Status map[string]any `json:"status"`
	// Warnings are what a dry run answers with it.
	Warnings []synapse.FieldError `json:"warnings,omitempty"`
}

// NewServer starts a server that ends with the test. What is created in it is ready at once.
func NewServer(t testing.TB) *Server {
	s := &Server{objects: map[string]*Object{}, answers: map[string]json.RawMessage{}, react: MakeReady, resolve: (*Object).resolve, left: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// MakeReady is what happens to an object after each change unless [Server.React] says otherwise.
func MakeReady(o *Object) {
	o.SetPhase(synapse.PhaseReady, "ready")
	switch o.Kind {
	case synapse.KindSLO:
		o.Status["rules_yaml"] = "groups: []\n"
	case synapse.KindTrafficSplit:
		o.Observe(synapse.SplitObservation{Published: true}, time.Unix(1e9, 0))
	case synapse.KindFailoverPolicy, synapse.KindDrill:
		o.observe()
	}
}

// SetPhase sets the object's status for its current generation.
func (o *Object) SetPhase(phase synapse.Phase, message string) {
	if o.Status == nil {
		o.Status = map[string]any{}
	}
	o.Status["phase"] = phase
	o.Status["observed_generation"] = o.Generation
	o.Status["conditions"] = []synapse.Condition{{Type: synapse.ConditionReady, Status: phase == synapse.PhaseReady, Reason: string(phase), Message: message}}
}

// React sets what happens to an object after each create, update and waiting read.
func (s *Server) React(react func(*Object)) { s.locked(func() { s.react = react }) }

// Resolve sets what a write, or its dry run, finds outside of the server.
func (s *Server) Resolve(resolve func(*Object)) { s.locked(func() { s.resolve = resolve }) }

// Reject sets what is answered instead of doing a request; nil lets it pass.
func (s *Server) Reject(reject func(Request) *synapse.Problem) {
	s.locked(func() { s.reject = reject })
}

// Disturb sets what goes wrong.
func (s *Server) Disturb(disturb func(Request) Disturbance) {
	s.locked(func() { s.disturb = disturb })
}

// Requests returns what was asked so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Forget drops what was recorded.
func (s *Server) Forget() { s.locked(func() { s.requests = nil }) }

// Edit changes an object as another client would; nil when it does not exist.
func (s *Server) Edit(path string, edit func(*Object)) {
	s.locked(func() {
		if o := s.objects[path]; o != nil {
			edit(o)
			s.touch(o)
		}
	})
}

// Remove removes an object at once.
func (s *Server) Remove(path string) { s.locked(func() { delete(s.objects, path) }) }

// Count returns how many objects there are.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.objects)
}

// Add creates an object as another client would.
func (s *Server) Add(kind synapse.Kind, draft any) {
	body, err := json.Marshal(draft)
	if err != nil {
		panic(err)
	}
	s.locked(func() {
		if _, problem := s.create(kind, body, false); problem != nil {
			panic(problem)
		}
	})
}

func (s *Server) locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *Server) touch(o *Object) {
	s.version++
	o.ResourceVersion = s.version
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	request := Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: string(body)}
	s.mu.Lock()
	s.requests = append(s.requests, request)
	disturb, reject := s.disturb, s.reject
	s.mu.Unlock()
	trouble := Nothing
	if disturb != nil {
		trouble = disturb(request)
	}
	switch trouble {
	case Overloaded:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case Restarting:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case CutBefore:
		panic(http.ErrAbortHandler)
	}
	var status int
	var answer any
	if problem := rejected(reject, request); problem != nil {
		status, answer = problem.Status, problem
	} else {
		s.mu.Lock()
		status, answer = s.answer(request, body)
		s.mu.Unlock()
	}
	w.Header().Set(synapse.APIVersionHeader, synapse.APIVersion)
	w.Header().Set("Content-Type", "application/json")
	if problem, ok := answer.(*synapse.Problem); ok {
		w.Header().Set("Content-Type", "application/problem+json")
		if problem.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(problem.RetryAfterSeconds))
		}
	}
	if trouble == CutAfter {
		w.Header().Set("Content-Length", "1000000")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("{"))
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	if answer != nil {
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func rejected(reject func(Request) *synapse.Problem, request Request) *synapse.Problem {
	if reject == nil {
		return nil
	}
	return reject(request)
}

// answer does what a request asks. Answers are encoded copies, so that they can be sent without the lock.
func (s *Server) answer(r Request, body []byte) (int, any) {
	if status, answer, ok := s.drilling(r, body); ok {
		return status, answer
	}
	parts := strings.Split(strings.TrimPrefix(r.Path, "/v1/"), "/")
	kind, known := kindOf(parts[0])
	switch {
	case r.Path == "/v1/platform":
		return http.StatusOK, synapse.Platform{Version: "test", APIVersion: synapse.APIVersion, Environment: "test", EntryURL: "http://127.0.0.1:1"}
	case !known:
		return problem(http.StatusNotFound, synapse.CodeNotFound, r.Path+" does not exist")
	case parts[len(parts)-1] == "credentials" && r.Method == http.MethodPost:
		return http.StatusCreated, synapse.Credentials{ID: "c1", Username: "u", Password: "secret", Host: "127.0.0.1", Port: 5432, Database: "d", Schema: "s", URL: "postgres://u:secret@127.0.0.1:5432/d", ExpiresAt: time.Unix(1e9, 0)}
	case len(parts) == 4 && parts[2] == "credentials":
		return http.StatusNoContent, nil
	case parts[len(parts)-1] == "error-budget" && s.objects[strings.TrimSuffix(r.Path, "/error-budget")] != nil:
		return http.StatusOK, synapse.ErrorBudget{SLO: parts[1], Objective: 99.9, Window: "720h", Since: time.Unix(1e9, 0), Requests: 2000, Bad: 3, Remaining: -50, BurnRate: 1.5, Source: "gateways"}
	case len(parts) == 1 && r.Method == http.MethodPost:
		return s.post(kind, r, body)
	case len(parts) == 1:
		return s.list(r)
	}
	object := s.objects[r.Path]
	if object == nil {
		if r.Method == http.MethodDelete {
			return http.StatusNoContent, nil
		}
		return problem(http.StatusNotFound, synapse.CodeNotFound, r.Path+" does not exist")
	}
	switch r.Method {
	case http.MethodPut:
		return s.put(object, r, body)
	case http.MethodDelete:
		delete(s.objects, r.Path)
		return http.StatusNoContent, nil
	}
	switch {
	case object.Kind == synapse.KindDrillRun:
		s.advance(object)
	case len(r.Query["wait"]) > 0:
		s.react(object)
	}
	return http.StatusOK, encode(object)
}

func (s *Server) post(kind synapse.Kind, r Request, body []byte) (int, any) {
	key := r.Header.Get("Idempotency-Key")
	if answer, ok := s.answers[key]; ok && !r.DryRun() {
		return http.StatusCreated, answer
	}
	object, p := s.create(kind, body, r.DryRun())
	if p != nil {
		return p.Status, p
	}
	answer := encode(object)
	if !r.DryRun() {
		s.answers[key] = answer
	}
	return http.StatusCreated, answer
}

func (s *Server) create(kind synapse.Kind, body []byte, dryRun bool) (*Object, *synapse.Problem) {
	var draft synapse.Draft[map[string]any]
	if err := json.Unmarshal(body, &draft); err != nil {
		return nil, &synapse.Problem{Status: http.StatusBadRequest, Title: "bad JSON", Code: synapse.CodeInvalid}
	}
	object := &Object{Meta: synapse.Meta{Kind: kind, Name: draft.Name, Parent: draft.Parent, UID: uuid.NewString(), Generation: 1, Labels: draft.Labels}, Spec: draft.Spec}
	path := object.Key().Path()
	if s.objects[path] != nil {
		return nil, &synapse.Problem{Status: http.StatusConflict, Title: "exists", Code: synapse.CodeAlreadyExists, Detail: path + " exists"}
	}
	if err := complete(object); err != nil {
		return nil, err
	}
	if err := s.admit(object); err != nil {
		return nil, err
	}
	s.resolve(object)
	switch {
	case dryRun:
	case kind == synapse.KindDrillRun:
		s.begin(object)
		s.objects[path] = object
	default:
		s.touch(object)
		s.react(object)
		s.objects[path] = object
	}
	return object, nil
}

func (s *Server) put(object *Object, r Request, body []byte) (int, any) {
	if r.Header.Get("If-Match") != strconv.FormatInt(object.ResourceVersion, 10) {
		return problem(http.StatusPreconditionFailed, synapse.CodeConflict, "someone else wrote in between")
	}
	var draft synapse.Draft[map[string]any]
	if err := json.Unmarshal(body, &draft); err != nil {
		return problem(http.StatusBadRequest, synapse.CodeInvalid, err.Error())
	}
	changed := *object
	changed.Spec, changed.Labels = draft.Spec, draft.Labels
	if err := complete(&changed); err != nil {
		return err.Status, err
	}
	if err := s.admit(&changed); err != nil {
		return err.Status, err
	}
	s.resolve(&changed)
	if !r.DryRun() {
		changed.Generation++
		s.touch(&changed)
		if object.Kind != synapse.KindDrillRun {
			s.react(&changed)
		}
		*object = changed
	}
	return http.StatusOK, encode(&changed)
}

func (s *Server) list(r Request) (int, any) {
	limit, _ := strconv.Atoi(first(r.Query["limit"]))
	offset, _ := strconv.Atoi(first(r.Query["cursor"]))
	collection := r.Path + "/"
	items := []json.RawMessage{}
	next := ""
	for i, path := range sortedPaths(s.objects, collection) {
		if i < offset || !hasLabels(s.objects[path].Labels, r.Query["label"]) {
			continue
		}
		if len(items) == limit {
			next = strconv.Itoa(i)
			break
		}
		items = append(items, encode(s.objects[path]))
	}
	return http.StatusOK, map[string]any{"items": items, "next_cursor": next}
}

func encode(object *Object) json.RawMessage {
	encoded, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("providertest: %v", err))
	}
	return encoded
}

func problem(status int, code, detail string) (int, any) {
	return status, &synapse.Problem{Status: status, Code: code, Title: code, Detail: detail}
}

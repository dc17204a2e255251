package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	region     = synapse.Object[synapse.RegionSpec, synapse.RegionStatus]
	tenant     = synapse.Object[synapse.TenantSpec, synapse.TenantStatus]
	deployment = synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus]
	slo        = synapse.Object[synapse.SLOSpec, synapse.SLOStatus]
	split      = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]
)

// service is the API on a store of its own, served on loopback.
type service struct {
	t       testing.TB
	url     string
	handler http.Handler
	backend object.Backend
	clock   *clock
	log     *syncBuffer
	secrets map[synapse.Role]string
}

// newService starts the API. configure may change its configuration.
func newService(t testing.TB, configure ...func(*api.Config)) *service {
	t.Helper()
	logs := &syncBuffer{}
	logger := slog.New(slog.NewJSONHandler(logs, nil))
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })

	s := &service{t: t, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, log: logs, secrets: map[synapse.Role]string{}}
	s.backend = object.Backend{Store: db, Broker: object.NewBroker(), Now: s.clock.Now}
	for _, role := range []synapse.Role{synapse.RoleViewer, synapse.RoleOperator, synapse.RoleAdmin} {
		issued, err := api.IssueToken(context.Background(), db, s.clock.Now(), synapse.TokenRequest{Name: string(role), Role: role})
		require.NoError(t, err)
		s.secrets[role] = issued.Secret
	}
	config := api.Config{
		Backend: s.backend, Kinds: object.NewKinds(), Log: logger, Metrics: prometheus.NewRegistry(), Credentials: fakeCredentials{}, Budgets: fakeBudgets{},
		Failovers: fakeFailovers{}, Reports: func(r *synapse.DrillReport) []byte { return []byte("# Run " + r.Run + "\n") },
		Platform: func(context.Context) synapse.Platform {
			return synapse.Platform{Version: "1.2.3", Environment: "test", EntryURL: "http://127.0.0.1:8080"}
		},
	}
	for _, change := range configure {
		change(&config)
	}
	s.handler, err = api.New(config)
	require.NoError(t, err)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// caller sends requests with one token.
type caller struct {
	*service
	secret string
}

func (s *service) as(role synapse.Role) caller { return caller{s, s.secrets[role]} }

// answer is what the API answered.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// do sends a request. body is nil, a string of JSON or a value to encode. headers are pairs of name and value.
func (c caller) do(method, path string, body any, headers ...string) answer {
	c.t.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		require.NoError(c.t, err)
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, reader)
	require.NoError(c.t, err)
	if c.secret != "" {
		request.Header.Set("Authorization", "Bearer "+c.secret)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	// Requests are also sent from goroutines, which may not end the test: an answer without a status does that later.
	if !assert.NoError(c.t, err) {
		return answer{t: c.t}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	assert.NoError(c.t, err)
	return answer{t: c.t, status: response.StatusCode, header: response.Header, body: content}
}

// read decodes the body of an answer that must have a status.
func read[V any](a answer, status int) V {
	a.t.Helper()
	require.Equal(a.t, status, a.status, string(a.body))
	var value V
	require.NoError(a.t, json.Unmarshal(a.body, &value), string(a.body))
	return value
}

// problem decodes an error, and checks what all errors have in common.
func (a answer) problem(status int, code string) synapse.Problem {
	a.t.Helper()
	p := read[synapse.Problem](a, status)
	require.Equal(a.t, code, p.Code, string(a.body))
	require.Equal(a.t, status, p.Status)
	require.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"))
	require.Equal(a.t, a.header.Get("X-Request-Id"), p.RequestID)
	require.NotEmpty(a.t, p.Title)
	if p.RetryAfterSeconds > 0 {
		require.Equal(a.t, strconv.Itoa(p.RetryAfterSeconds), a.header.Get("Retry-After"))
	} else {
		require.Empty(a.t, a.header.Get("Retry-After"))
	}
	return p
}

// pointers lists the fields at fault.
func pointers(p synapse.Problem) []string {
	var result []string
	for _, field := range p.Errors {
		result = append(result, field.Pointer)
	}
	return result
}

// region, tenant, service and deployment create an object by the API and return it.
func (s *service) region(name string) region {
	s.t.Helper()
	return read[region](s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/regions", `{"name":"`+name+`","spec":{"runtime":"local"}}`), 201)
}

func (s *service) tenant(name, spec string) tenant {
	s.t.Helper()
	return read[tenant](s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/tenants", tenantDraft(name, spec)), 201)
}

func tenantDraft(name, spec string) string { return `{"name":"` + name + `","spec":{` + spec + `}}` }

func (s *service) service(name string) {
	s.t.Helper()
	require.Equal(s.t, 201, s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/services", `{"name":"`+name+`","spec":{}}`).status)
}

func deploymentDraft(parent, name, spec string) string {
	return `{"name":"` + name + `","parent":"` + parent + `","spec":{"image":"auth:v1",` + spec + `}}`
}

// reach writes an object's status, as a reconciler does.
func reach[T any](s *service, meta synapse.Meta, mutate func(*T)) {
	s.t.Helper()
	_, err := object.WriteStatus(context.Background(), s.backend, meta.Key(), meta.UID, mutate)
	assert.NoError(s.t, err)
}

func (s *service) tenantPhase(t tenant, phase synapse.Phase) {
	s.t.Helper()
	reach(s, t.Meta, func(status *synapse.TenantStatus) { status.Set(t.Generation, phase, string(phase), "", s.clock.Now()) })
}

// snapshot is everything in the store, in one string.
func (s *service) snapshot() string {
	s.t.Helper()
	return snapshotOf(s.t, s.backend.Store)
}

func snapshotOf(t require.TestingT, db store.Store) string {
	var all strings.Builder
	write := func(value any) {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		all.Write(append(text, '\n'))
	}
	for _, info := range synapse.Kinds() {
		query := store.Query{Kind: info.Kind, IncludeDeleting: true, Limit: synapse.MaxPageSize}
		for {
			records, next, err := db.List(context.Background(), query)
			require.NoError(t, err)
			for _, record := range records {
				write(record)
			}
			if query.Cursor = next; next == "" {
				break
			}
		}
	}
	tokens, err := db.ListTokens(context.Background())
	require.NoError(t, err)
	entries, err := db.AuditEntries(context.Background(), 50)
	require.NoError(t, err)
	write(tokens)
	write(entries)
	return all.String()
}

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// fakeCredentials issues credentials that open nothing.
type fakeCredentials struct{}

func (fakeCredentials) Issue(_ context.Context, t tenant, ttl time.Duration) (synapse.Credentials, error) {
	return synapse.Credentials{ID: "c1", Username: t.Name, Password: "hunter2-secret", ExpiresAt: time.Unix(0, 0).Add(ttl).UTC()}, nil
}

func (fakeCredentials) Revoke(context.Context, string, string) error { return nil }

// fakeBudgets knows that half of every budget is left.
type fakeBudgets struct{}

func (fakeBudgets) ErrorBudget(_ context.Context, o slo) (synapse.ErrorBudget, error) {
	if o.Name == "unknown" {
		return synapse.ErrorBudget{}, errors.New("http://10.1.2.3:9090 refused the connection")
	}
	if o.Name == "unscraped" {
		return synapse.ErrorBudget{}, fmt.Errorf("measuring: %w", &measure.SourceError{Message: "set honor_labels: true"})
	}
	return synapse.ErrorBudget{SLO: o.Name, Objective: o.Spec.Objective, Window: o.Spec.Window, Remaining: 50, Source: "gateways"}, nil
}

// fakeFailovers is ready for failovers to all regions but one.
type fakeFailovers struct{}

func (fakeFailovers) Readiness(_ context.Context, _ failoverPolicy, to string) (synapse.FailoverReadiness, error) {
	fit := to != "ap"
	return synapse.FailoverReadiness{Ready: fit, Target: to, Checks: []synapse.ReadinessCheck{{Name: "replication_lag", OK: fit, Message: "the database of ap is 1m behind"}}}, nil
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

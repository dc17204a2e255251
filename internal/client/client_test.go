package client_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type tenant = synapse.Object[synapse.TenantSpec, synapse.TenantStatus]

const token = "s3cr3t-token"

// script answers one request after the other; the last answer is repeated.
type script struct {
	mu      sync.Mutex
	answers []http.HandlerFunc
	seen    []*http.Request
	bodies  []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	answer := s.answers[min(len(s.seen), len(s.answers)-1)]
	s.seen = append(s.seen, r)
	s.bodies = append(s.bodies, string(body))
	s.mu.Unlock()
	w.Header().Set(synapse.APIVersionHeader, synapse.APIVersion)
	answer(w, r)
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func later(status int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(status)
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func cutInTheMiddle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"name":`)
	panic(http.ErrAbortHandler)
}

const acme = `{"kind":"tenant","name":"acme","uid":"u","generation":1,"resource_version":5,"spec":{},"status":{"observed_generation":1,"phase":"Ready"}}`

func start(t *testing.T, answers ...http.HandlerFunc) (*script, *client.Client) {
	t.Helper()
	s := &script{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, connect(t, client.Config{Endpoint: server.URL})
}

// connect returns a client that hardly waits between attempts.
func connect(t *testing.T, config client.Config) *client.Client {
	t.Helper()
	config.Token, config.RetryWaitMin, config.RetryWaitMax = token, time.Millisecond, 5*time.Millisecond
	c, err := client.New(config)
	require.NoError(t, err)
	return c
}

func get(t *testing.T, c *client.Client) (*tenant, error) {
	return client.Get[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, synapse.Key{Kind: synapse.KindTenant, Name: "acme"})
}

func create(ctx context.Context, c *client.Client) (*tenant, error) {
	return client.Create[synapse.TenantSpec, synapse.TenantStatus](ctx, c, synapse.KindTenant, synapse.Draft[synapse.TenantSpec]{Name: "acme"}, client.CreateOptions{})
}

func reason(t *testing.T, err error) client.Reason {
	t.Helper()
	var failure *client.Error
	require.ErrorAs(t, err, &failure)
	require.NotEmpty(t, failure.Summary)
	require.NotEmpty(t, failure.Detail)
	require.NotContains(t, err.Error(), token)
	return failure.Reason
}

func TestWhatMayWorkLaterIsRepeated(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]http.HandlerFunc{
		"429": later(429, "0"), "503": later(503, "0"), "502": later(502, ""), "504": later(504, ""),
		"a connection cut before the answer": cut, "a connection cut in the middle of the answer": cutInTheMiddle,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := start(t, answer(200, acme), trouble, trouble, answer(201, acme))
			_, err := get(t, c) // the endpoint is known to answer
			require.NoError(t, err)
			object, err := create(t.Context(), c)
			require.NoError(t, err)
			require.Equal(t, "acme", object.Name)
			require.Len(t, s.seen, 4)
			require.NotEmpty(t, s.seen[1].Header.Get("Idempotency-Key"))
			for _, r := range s.seen[2:] {
				require.Equal(t, s.seen[1].Header.Get("Idempotency-Key"), r.Header.Get("Idempotency-Key"), "one create, one key")
			}
			require.Equal(t, s.bodies[1], s.bodies[3], "the body is sent again")
		})
	}
}

func TestWhatWillNotWorkLaterIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 409, 412, 422, 500} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			s, c := start(t, answer(status, `{"title":"No","code":"whatever","detail":"because","status":1}`))
			_, err := get(t, c)
			require.Error(t, err)
			require.Len(t, s.seen, 1)
			require.True(t, client.HasCode(err, "whatever"), "the problem is preserved: %v", err)
		})
	}
}

func TestTheLastAnswerIsReported(t *testing.T) {
	t.Parallel()
	s := &script{answers: []http.HandlerFunc{answer(503, `{"title":"Starting","code":"unavailable","detail":"the database is being recovered"}`)}}
	server := httptest.NewServer(s)
	defer server.Close()
	c := connect(t, client.Config{Endpoint: server.URL, MaxRetries: 2})
	_, err := get(t, c)
	require.Equal(t, client.ReasonUnavailable, reason(t, err))
	require.ErrorContains(t, err, "the database is being recovered")
	require.Len(t, s.seen, 3)
	require.True(t, client.HasCode(err, synapse.CodeUnavailable))
}

func TestNoRetriesMeansOneAttempt(t *testing.T) {
	t.Parallel()
	s := &script{answers: []http.HandlerFunc{later(503, "0")}}
	server := httptest.NewServer(s)
	defer server.Close()
	_, err := get(t, connect(t, client.Config{Endpoint: server.URL, MaxRetries: -1}))
	require.Error(t, err)
	require.Len(t, s.seen, 1)
}

func TestALongRetryAfterIsReportedInsteadOfWaitedFor(t *testing.T) {
	t.Parallel()
	s, c := start(t, later(429, "3600"))
	_, err := get(t, c)
	require.Equal(t, client.ReasonUnavailable, reason(t, err))
	require.Len(t, s.seen, 1)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	s, c := start(t, later(429, "1"), answer(200, acme))
	before := time.Now()
	_, err := get(t, c)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(before), time.Second)
	require.Len(t, s.seen, 2)
}

func TestEachFailureSaysWhatToDo(t *testing.T) {
	t.Parallel()
	t.Run("nothing listens", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		_, err := get(t, connect(t, client.Config{Endpoint: server.URL}))
		require.Equal(t, client.ReasonUnreachable, reason(t, err))
		require.ErrorContains(t, err, "SYNAPSE_ENDPOINT")
		require.ErrorContains(t, err, "after 4 attempts")
	})
	t.Run("the token is wrong", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, answer(401, `{"title":"Unauthorized","code":"unauthenticated"}`))
		_, err := get(t, c)
		require.Equal(t, client.ReasonUnauthenticated, reason(t, err))
		require.ErrorContains(t, err, "SYNAPSE_TOKEN")
	})
	t.Run("the role does not suffice", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, answer(403, `{"title":"Forbidden","code":"forbidden","detail":"needs operator"}`))
		_, err := get(t, c)
		require.Equal(t, client.ReasonForbidden, reason(t, err))
		require.ErrorContains(t, err, "needs operator")
	})
	t.Run("another server answers", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(answer(200, "<html>"))
		t.Cleanup(server.Close)
		_, err := get(t, connect(t, client.Config{Endpoint: server.URL}))
		require.Equal(t, client.ReasonNotSynapsed, reason(t, err))
		require.ErrorContains(t, err, "not a synapsed")
	})
	t.Run("another version answers", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(synapse.APIVersionHeader, "99")
			w.WriteHeader(http.StatusNotFound)
		})
		_, err := get(t, c)
		require.Equal(t, client.ReasonVersion, reason(t, err))
		require.ErrorContains(t, err, `"99"`)
		require.ErrorContains(t, err, strconv.Quote(synapse.APIVersion))
	})
	t.Run("the answer is no JSON", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, answer(200, "<html>"))
		_, err := get(t, c)
		require.Equal(t, client.ReasonProtocol, reason(t, err))
	})
	t.Run("the server redirects", func(t *testing.T) {
		t.Parallel()
		s, c := start(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com", http.StatusFound)
		})
		_, err := get(t, c)
		require.Error(t, err)
		require.Len(t, s.seen, 1, "the token goes nowhere else")
	})
	t.Run("the context ends", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, later(503, "30"))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := create(ctx, c)
		require.Equal(t, client.ReasonCancelled, reason(t, err))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := &script{answers: []http.HandlerFunc{answer(200, acme)}}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	t.Run("an unknown authority is explained", func(t *testing.T) {
		_, err := get(t, connect(t, client.Config{Endpoint: server.URL}))
		require.Equal(t, client.ReasonTLS, reason(t, err))
		require.ErrorContains(t, err, "ca_certificate")
	})
	t.Run("the authority is accepted as text", func(t *testing.T) {
		_, err := get(t, connect(t, client.Config{Endpoint: server.URL, CACertificate: authority}))
		require.NoError(t, err)
	})
	t.Run("the authority is accepted as a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "ca.pem")
		require.NoError(t, os.WriteFile(file, []byte(authority), 0o600))
		_, err := get(t, connect(t, client.Config{Endpoint: server.URL, CACertificate: file}))
		require.NoError(t, err)
	})
}

func TestRequestsCarryTokenAndUserAgentAndLogsDoNot(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &script{answers: []http.HandlerFunc{answer(200, acme)}}
	server := httptest.NewServer(s)
	defer server.Close()
	c := connect(t, client.Config{Endpoint: server.URL, UserAgent: "test/1", Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	_, err := get(t, c)
	require.NoError(t, err)
	require.Equal(t, "Bearer "+token, s.seen[0].Header.Get("Authorization"))
	require.Equal(t, "test/1", s.seen[0].Header.Get("User-Agent"))
	require.Contains(t, log.String(), "/v1/tenants/acme")
	require.NotContains(t, log.String(), token)
}

func TestTheRateIsLimited(t *testing.T) {
	t.Parallel()
	s := &script{answers: []http.HandlerFunc{answer(200, acme)}}
	server := httptest.NewServer(s)
	defer server.Close()
	c := connect(t, client.Config{Endpoint: server.URL, RequestsPerSecond: 20})
	before := time.Now()
	for range 30 {
		_, err := get(t, c)
		require.NoError(t, err)
	}
	require.GreaterOrEqual(t, time.Since(before), 450*time.Millisecond, "20 at once, then one each 50 ms")
}

func TestListsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	pages := []http.HandlerFunc{}
	for i := range 3 {
		cursor := ""
		if i < 2 {
			cursor = fmt.Sprintf(`,"next_cursor":"c%d"`, i+1)
		}
		pages = append(pages, answer(200, fmt.Sprintf(`{"items":[{"name":"a%d"},{"name":"b%d"}]%s}`, i, i, cursor)))
	}
	s, c := start(t, pages...)
	var names []string
	for object, err := range client.List[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, synapse.KindTenant, client.ListOptions{Labels: map[string]string{"team": "x"}}) {
		require.NoError(t, err)
		names = append(names, object.Name)
	}
	require.Equal(t, []string{"a0", "b0", "a1", "b1", "a2", "b2"}, names)
	require.Equal(t, "c2", s.seen[2].URL.Query().Get("cursor"))
	require.Equal(t, "team=x", s.seen[0].URL.Query().Get("label"))
	require.Equal(t, strconv.Itoa(synapse.MaxPageSize), s.seen[0].URL.Query().Get("limit"))
}

func TestAListThatFailsInTheMiddleSaysSo(t *testing.T) {
	t.Parallel()
	_, c := start(t, answer(200, `{"items":[{"name":"a"}],"next_cursor":"c"}`), answer(500, `{"title":"Broken","code":"internal"}`))
	var failed error
	for _, err := range client.List[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, synapse.KindTenant, client.ListOptions{}) {
		failed = err
	}
	require.True(t, client.HasCode(failed, synapse.CodeInternal))
}

func TestWaitingAsksAgainUntilItIsSo(t *testing.T) {
	t.Parallel()
	progressing := `{"kind":"tenant","name":"acme","generation":2,"status":{"observed_generation":1,"phase":"Ready"}}`
	ready := `{"kind":"tenant","name":"acme","generation":2,"status":{"observed_generation":2,"phase":"Ready"}}`
	key := synapse.Key{Kind: synapse.KindTenant, Name: "acme"}
	t.Run("ready", func(t *testing.T) {
		t.Parallel()
		s, c := start(t, answer(200, progressing), later(503, "0"), answer(200, ready))
		object, err := client.WaitReady[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, key, 2)
		require.NoError(t, err)
		require.EqualValues(t, 2, object.Status.ObservedGeneration)
		require.Len(t, s.seen, 3)
		query := s.seen[0].URL.Query()
		require.Equal(t, []string{"ready", "2", "50s"}, []string{query.Get("wait"), query.Get("generation"), query.Get("timeout")})
	})
	t.Run("deleted", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, answer(200, ready), answer(404, `{"title":"Gone","code":"not_found"}`))
		object, err := client.WaitDeleted[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, key)
		require.NoError(t, err)
		require.Nil(t, object)
	})
	t.Run("offboarded, which is as far as a deletion goes at first", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, answer(200, `{"name":"acme","status":{"phase":"Offboarded"}}`))
		object, err := client.WaitDeleted[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, key)
		require.NoError(t, err)
		require.Equal(t, synapse.PhaseOffboarded, object.Status.Phase)
	})
	t.Run("or until the time is over, with what was last seen", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		_, c := start(t, answer(200, progressing), func(http.ResponseWriter, *http.Request) { cancel() })
		object, err := client.WaitReady[synapse.TenantSpec, synapse.TenantStatus](ctx, c, key, 2)
		require.Error(t, err)
		require.NotNil(t, object)
	})
}

func TestUpdatesAndDeletions(t *testing.T) {
	t.Parallel()
	t.Run("an update names the version it is for", func(t *testing.T) {
		t.Parallel()
		s, c := start(t, answer(200, acme))
		_, err := client.Update[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, synapse.KindTenant, synapse.Draft[synapse.TenantSpec]{Name: "acme"}, 41, client.WriteOptions{DryRun: true})
		require.NoError(t, err)
		require.Equal(t, "41", s.seen[0].Header.Get("If-Match"))
		require.Equal(t, "true", s.seen[0].URL.Query().Get("dry_run"))
	})
	t.Run("deleting what is not there is no error", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, answer(404, `{"title":"Gone","code":"not_found"}`))
		require.NoError(t, client.Delete(t.Context(), c, synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v1"}, client.WriteOptions{}))
	})
	t.Run("credentials that ended are no error", func(t *testing.T) {
		t.Parallel()
		s, c := start(t, answer(404, `{"title":"Gone","code":"not_found"}`))
		require.NoError(t, c.RevokeCredentials(t.Context(), "acme", "c1"))
		require.Equal(t, "/v1/tenants/acme/credentials/c1", s.seen[0].URL.Path)
	})
	t.Run("a restored tenant comes back", func(t *testing.T) {
		t.Parallel()
		s, c := start(t, answer(200, acme))
		object, err := c.RestoreTenant(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, "acme", object.Name)
		require.Equal(t, "POST /v1/tenants/acme/restore", s.seen[0].Method+" "+s.seen[0].URL.Path)
	})
}

func FuzzEndpointsNeverSendTheTokenInTheClear(f *testing.F) {
	for _, seed := range []string{"http://127.0.0.1:7700", "https://x", "http://example.com", "http://localhost@evil.com", "http://[::1]", "://", "http://127.0.0.1.evil.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		u, err := client.ParseEndpoint(endpoint)
		if err != nil {
			return
		}
		if u.Scheme == "http" && u.Hostname() != "localhost" {
			address, err := netip.ParseAddr(u.Hostname())
			require.NoError(t, err)
			require.True(t, address.IsLoopback())
		}
		require.Nil(t, u.User)
	})
}

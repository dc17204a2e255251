package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	viewer := s.as(synapse.RoleViewer)

	t.Run("an unknown path is a problem", func(t *testing.T) {
		for _, path := range []string{"/", "/v1", "/v1/unicorns", "/v1/tenants/a/b/c", "/v2/"} {
			viewer.do(http.MethodGet, path, nil).problem(404, synapse.CodeNotFound)
		}
	})
	t.Run("an unknown method is a problem that names the known ones", func(t *testing.T) {
		a := viewer.do(http.MethodPatch, "/v1/tenants/acme", nil)
		require.Contains(t, a.problem(405, synapse.CodeInvalid).Detail, "DELETE, GET, HEAD, PUT")
		require.Equal(t, "DELETE, GET, HEAD, PUT", a.header.Get("Allow"))
	})
	t.Run("a name that none can have is not found", func(t *testing.T) {
		for _, name := range []string{"Acme", "a%00b", "%ff", "a%2Fb", strings.Repeat("x", 41)} {
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				s.as(synapse.RoleOperator).do(method, "/v1/tenants/"+name, nil).problem(404, synapse.CodeNotFound)
			}
		}
	})
	t.Run("the platform is described with its regions", func(t *testing.T) {
		s.region("eu")
		platform := read[synapse.Platform](viewer.do(http.MethodGet, "/v1/platform", nil), 200)
		require.Equal(t, synapse.APIVersion, platform.APIVersion)
		require.Equal(t, "test", platform.Environment)
		require.Equal(t, []string{"eu"}, platform.Regions)
	})
	t.Run("a request id of the client's is kept, and one that would spoil the log is replaced", func(t *testing.T) {
		require.Equal(t, "abc-1", viewer.do(http.MethodGet, "/healthz", nil, "X-Request-Id", "abc-1").header.Get("X-Request-Id"))
		require.Len(t, viewer.do(http.MethodGet, "/healthz", nil, "X-Request-Id", "a b").header.Get("X-Request-Id"), 36)
	})
	t.Run("the version is on every answer", func(t *testing.T) {
		for _, path := range []string{"/healthz", "/v1/tenants", "/nothing", "/metrics"} {
			require.Equal(t, synapse.APIVersion, s.as("").do(http.MethodGet, path, nil).header.Get(synapse.APIVersionHeader))
		}
	})
	t.Run("metrics count by route, not by path", func(t *testing.T) {
		viewer.do(http.MethodGet, "/v1/tenants/some-name", nil)
		metrics := string(viewer.do(http.MethodGet, "/metrics", nil).body)
		require.Contains(t, metrics, `synapsed_http_requests_total{code="404",method="GET",route="/v1/tenants/{name}"}`)
		require.NotContains(t, metrics, "some-name")
	})
	t.Run("the log has each request with who sent it", func(t *testing.T) {
		viewer.do(http.MethodGet, "/v1/tenants/some-name", nil, "X-Request-Id", "find-me")
		// The line is written after the answer.
		require.Eventually(t, func() bool {
			for line := range strings.Lines(s.log.String()) {
				if strings.Contains(line, "find-me") {
					return strings.Contains(line, `"actor":"viewer"`) && strings.Contains(line, `"status":404`)
				}
			}
			return false
		}, waitLimit, waitStep)
	})
}

func TestPanic(t *testing.T) {
	t.Parallel()
	s := newService(t, func(config *api.Config) {
		config.Platform = func(context.Context) synapse.Platform { panic("the secret reason") }
	})
	p := s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/platform", nil).problem(500, synapse.CodeInternal)
	require.NotContains(t, p.Detail, "secret reason")
	require.Eventually(t, func() bool {
		return strings.Contains(s.log.String(), "secret reason") && strings.Contains(s.log.String(), "http_test.go")
	}, waitLimit, waitStep, "the log has the panic and its stack")
	require.Equal(t, 200, s.as("").do(http.MethodGet, "/healthz", nil).status)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	t.Run("requests above the rate are refused, health is not", func(t *testing.T) {
		s := newService(t, func(config *api.Config) { config.Limits = api.Limits{RequestsPerSecond: .001, Burst: 2} })
		for range 2 {
			require.Equal(t, 200, s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/tenants", nil).status)
		}
		p := s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/tenants", nil).problem(429, synapse.CodeRateLimited)
		require.Positive(t, p.RetryAfterSeconds)
		require.Equal(t, 200, s.as("").do(http.MethodGet, "/healthz", nil).status)
	})
	t.Run("too many requests at once are refused, and a slot is free again after each", func(t *testing.T) {
		s, reads := newSpied(t, func(config *api.Config) { config.Limits = api.Limits{Concurrent: 1} })
		created := s.tenant("acme", "")
		drain(reads)
		waiting := inBackground(s.as(synapse.RoleViewer), http.MethodGet, "/v1/tenants/acme?wait=ready&timeout=50s", nil)
		<-reads
		s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/tenants/acme", nil).problem(429, synapse.CodeRateLimited)
		s.tenantPhase(created, synapse.PhaseReady)
		require.Equal(t, 200, (<-waiting).status)
		require.Eventually(t, func() bool {
			return s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/tenants/acme", nil).status == 200
		}, waitLimit, waitStep)
	})
	t.Run("before the daemon is ready, requests are told to come back", func(t *testing.T) {
		var ready atomic.Bool
		s := newService(t, func(config *api.Config) {
			config.Ready = func(context.Context) error {
				if !ready.Load() {
					return errors.New("still starting")
				}
				return nil
			}
		})
		for _, path := range []string{"/readyz", "/v1/tenants"} {
			require.Positive(t, s.as(synapse.RoleViewer).do(http.MethodGet, path, nil).problem(503, synapse.CodeUnavailable).RetryAfterSeconds)
		}
		ready.Store(true)
		for _, path := range []string{"/readyz", "/v1/tenants"} {
			require.Equal(t, 200, s.as(synapse.RoleViewer).do(http.MethodGet, path, nil).status)
		}
	})
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	s := newService(t, func(config *api.Config) {
		config.Registry = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	send := func(method string, role synapse.Role) answer {
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/v2/auth/manifests/v1", nil)
		require.NoError(t, err)
		if role != "" {
			request.SetBasicAuth("anyone", s.secrets[role])
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return answer{t: t, status: response.StatusCode, header: response.Header}
	}
	t.Run("without a password it asks for one", func(t *testing.T) {
		a := send(http.MethodGet, "")
		require.Equal(t, 401, a.status)
		require.Contains(t, a.header.Get("WWW-Authenticate"), "Basic")
	})
	t.Run("a viewer pulls and an operator pushes", func(t *testing.T) {
		require.Equal(t, http.StatusTeapot, send(http.MethodGet, synapse.RoleViewer).status)
		require.Equal(t, 403, send(http.MethodPut, synapse.RoleViewer).status)
		require.Equal(t, http.StatusTeapot, send(http.MethodPut, synapse.RoleOperator).status)
	})
	t.Run("a password opens nothing but the registry", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/tenants", nil)
		require.NoError(t, err)
		request.SetBasicAuth("anyone", s.secrets[synapse.RoleAdmin])
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, 401, response.StatusCode)
	})
}

func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	s := newService(t)
	before := s.snapshot()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	_, err = connection.Write([]byte("POST /v1/tenants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + s.secrets[synapse.RoleOperator] +
		"\r\nX-Request-Id: cut-off\r\nContent-Length: 1000\r\n\r\n{\"name\":\"acme\""))
	require.NoError(t, err)
	require.NoError(t, connection.Close())
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "cut-off") }, waitLimit, waitStep)
	require.Contains(t, s.log.String(), `"status":400`)
	require.Equal(t, before, s.snapshot())
}

// deadlines is a writer that notes the read deadline.
type deadlines struct {
	*httptest.ResponseRecorder
	first time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	if d.first.IsZero() {
		d.first = at
	}
	return nil
}

func TestEveryPathOfTheAPILimitsBodies(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, path := range []string{"/console/sign-in", "/v1/tenants", "/v2/", "/nothing"} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		s.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader("x")))
		require.WithinDuration(t, time.Now(), w.first, time.Minute, path)
	}
}

package app_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/apptest"
)

// unreachable is a database URL that nothing answers at: port 1 of loopback.
const unreachable = "postgres://nobody@127.0.0.1:1/none?connect_timeout=1"

func newServer(t *testing.T, url string) *app.Server {
	t.Helper()
	db, err := app.NewDatabases(url, nil)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return app.NewServer(app.Config{Service: "test", Version: "v9", Region: "moon"}, db, slog.New(slog.DiscardHandler))
}

func TestHealth(t *testing.T) {
	t.Parallel()
	t.Run("is 200 while the database answers", func(t *testing.T) {
		t.Parallel()
		status, body := apptest.Do(t, newServer(t, apptest.Start(t).URL), app.Tenant{}, http.MethodGet, "/healthz", "")
		require.Equal(t, http.StatusOK, status, body)
	})
	t.Run("is 503 while it does not", func(t *testing.T) {
		t.Parallel()
		status, body := apptest.Do(t, newServer(t, unreachable), app.Tenant{}, http.MethodGet, "/healthz", "")
		require.Equal(t, http.StatusServiceUnavailable, status, body)
	})
}

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	server := newServer(t, unreachable)
	server.Handle("GET /whoami", func(w http.ResponseWriter, _ *http.Request, tenant app.Tenant) error {
		return app.Write(w, http.StatusOK, tenant.Name)
	})
	acme := app.Tenant{Name: "acme", Role: "tenant_acme", Database: "synapse", Schema: "tenant_acme", Isolation: app.Bridge}
	without := func(change func(*app.Tenant)) app.Tenant {
		tenant := acme
		change(&tenant)
		return tenant
	}
	tests := map[string]struct {
		tenant app.Tenant
		path   string
		status int
		body   string
	}{
		"a tenant's request is served":          {acme, "/whoami", 200, `"acme"`},
		"an unknown path is 404 in JSON":        {acme, "/nowhere", 404, `"test has no GET /nowhere"`},
		"no tenant is refused":                  {app.Tenant{}, "/whoami", 400, "X-Synapse-Tenant is missing"},
		"a request past the gateway is refused": {without(func(t *app.Tenant) { t.Role = "" }), "/whoami", 400, "through the gateway"},
		"an unknown isolation is refused":       {without(func(t *app.Tenant) { t.Isolation = "tent" }), "/whoami", 400, "pool, bridge or silo"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := apptest.Do(t, server, test.tenant, http.MethodGet, test.path, "")
			require.Equal(t, test.status, status)
			require.Contains(t, body, test.body)
		})
	}
	t.Run("every answer says who gave it", func(t *testing.T) {
		t.Parallel()
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/nowhere", nil))
		require.Equal(t, "test", recorder.Header().Get("X-Service"))
		require.Equal(t, "v9", recorder.Header().Get("X-Service-Version"))
		require.Equal(t, "moon", recorder.Header().Get("X-Service-Region"))
	})
}

func TestStoppingFinishesRequestsInFlight(t *testing.T) {
	t.Parallel()
	server := newServer(t, unreachable)
	entered, leave := make(chan struct{}), make(chan struct{})
	server.Handle("GET /slow", func(w http.ResponseWriter, _ *http.Request, _ app.Tenant) error {
		close(entered)
		<-leave
		return app.Write(w, http.StatusOK, "done")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/slow", nil)
	require.NoError(t, err)
	for header, value := range map[string]string{"": "acme", "-Role": "r", "-Database": "d", "-Schema": "s", "-Isolation": "silo"} {
		request.Header.Set("X-Synapse-Tenant"+header, value)
	}
	answered := make(chan string, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		answered <- response.Status + " " + string(body)
	}()
	<-entered
	stop()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, waitLong, waitTick, "a stopping server takes no new connections")
	close(leave)
	require.Equal(t, "200 OK \"done\"\n", <-answered)
	require.NoError(t, <-served)
}

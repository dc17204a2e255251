package api

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// registerPlain adds what is served beside the API proper.
func (s *server) registerPlain(document *document) {
	s.mux.Handle("GET /healthz", text("text/plain; charset=utf-8", []byte("ok\n")))
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /openapi.json", text("application/openapi+json", document.json))
	s.mux.Handle("GET /openapi.yaml", text("application/openapi+yaml", document.yaml))

	metrics := promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{Registry: s.Metrics})
	viewer := func(*http.Request) synapse.Role { return synapse.RoleViewer }
	s.mux.Handle("GET /metrics", s.protect(metrics, `Bearer realm="synapse"`, viewer))
	if s.Registry != nil {
		s.mux.Handle("/v2/", s.protect(s.Registry, `Basic realm="synapse"`, registryRole))
	}
}

// registryRole is the role that a request to the image registry needs.
func registryRole(r *http.Request) synapse.Role {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return synapse.RoleViewer
	}
	return synapse.RoleOperator
}

// ready answers whether the daemon can serve: not shutting down, its parts started, its database readable.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if p := s.unavailable(r); p != nil {
		writeProblem(w, r, p)
		return
	}
	if err := s.Backend.Store.Ping(r.Context()); err != nil {
		s.Log.Warn("not ready", slog.Any("error", err))
		p := newProblem(http.StatusServiceUnavailable, "the database can not be read: try again")
		p.RetryAfterSeconds = 1
		writeProblem(w, r, p)
		return
	}
	text("text/plain; charset=utf-8", []byte("ready\n")).ServeHTTP(w, r)
}

func text(contentType string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		// An error of writing means that the client went away.
		_, _ = w.Write(body)
	})
}

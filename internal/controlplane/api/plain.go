package api

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// registerPlain adds what is served beside the API proper.
func (s *server) registerPlain(document *document) {
	s.mux.Handle("GET /healthz", text("text/plain; charset=utf-8", []byte("ok\n")))
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /openapi.json", text("application/openapi+json", document.json))
	s.mux.Handle("GET /openapi.yaml", text("application/openapi+yaml", document.yaml))

	gatherers := prometheus.Gatherers{s.Metrics}
	if s.GatewayMetrics != nil {
		gatherers = append(gatherers, gateways{s.GatewayMetrics, s.Log})
	}
	metrics := promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{Registry: s.Metrics, ErrorHandling: promhttp.ContinueOnError})
	viewer := func(*http.Request) synapse.Role { return synapse.RoleViewer }
	s.mux.Handle("GET /metrics", s.protect(metrics, `Bearer realm="synapse"`, viewer))
	if s.Registry != nil {
		s.mux.Handle("/v2/", s.protect(s.Registry, `Basic realm="synapse"`, registryRole))
	}
	if s.Console != nil {
		s.mux.Handle("/console/", s.Console)
		s.mux.HandleFunc("GET /{$}", toConsole)
	}
}

// toConsole leads browsers to the console. Programs are told that they are wrong here.
func toConsole(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/console/", http.StatusSeeOther)
		return
	}
	writeProblem(w, r, newProblem(http.StatusNotFound, "there is nothing at this path: the API is under /v1/, and the console under /console/"))
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

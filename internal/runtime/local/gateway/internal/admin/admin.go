// Package admin is the loopback port on which the daemon configures a process of the data plane, and the file from
// which that process starts again when the daemon is gone.
package admin

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/problem"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// maxConfigBytes is far above what 10,000 tenants and their endpoints need (about 5 MB).
const maxConfigBytes = 256 << 20

// Applied is the answer to reading or writing the configuration.
type Applied struct {
	// Generation of the configuration that is served; 0 before the first one.
	Generation int64 `json:"generation"`
}

// Options say what a [Server] administers. C is the configuration's type.
type Options[C any] struct {
	// Token is the bearer token that everything but /healthz asks for.
	Token string
	// File keeps the last configuration that was applied.
	File string
	// Validate says what is wrong with a configuration.
	Validate func(*C) error
	// Generation reads a configuration's generation.
	Generation func(*C) int64
	// Apply makes a valid configuration the served one. It is never called twice at a time.
	Apply func(*C)
	// InFlight counts requests by endpoint.
	InFlight func() map[string]int64
	// Observations are what the process sees of regions.
	Observations func() []runtime.Observation
	// SetFaults makes faults the ones in force.
	SetFaults func([]runtime.Fault)
	Metrics   prometheus.Gatherer
	Log       *slog.Logger
}

// Server is the admin port's handler.
type Server[C any] struct {
	options Options[C]
	mux     *http.ServeMux

	mu         sync.Mutex // one configuration at a time; guards generation
	generation int64
}

// New returns the handler of an admin port.
func New[C any](options Options[C]) *Server[C] {
	s := &Server[C]{options: options, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]string{"status": "ok"}) })
	s.mux.HandleFunc("GET /config", s.authorized(s.getConfig))
	s.mux.HandleFunc("PUT /config", s.authorized(s.putConfig))
	s.mux.HandleFunc("GET /in-flight", s.authorized(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, options.InFlight()) }))
	s.mux.HandleFunc("GET /observations", s.authorized(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, options.Observations()) }))
	s.mux.HandleFunc("PUT /faults", s.authorized(s.putFaults))
	s.mux.HandleFunc("GET /metrics", s.authorized(promhttp.HandlerFor(options.Metrics, promhttp.HandlerOpts{}).ServeHTTP))
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server[C]) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Load applies the configuration that was kept on disk. When there is none, or it cannot be used, the process starts
// without: refusing to start would only keep the daemon from sending a good one.
func (s *Server[C]) Load() {
	s.mu.Lock()
	defer s.mu.Unlock()
	config := new(C)
	found, err := readState(s.options.File, config)
	if err == nil && found {
		err = s.options.Validate(config)
	}
	switch {
	case err != nil:
		s.options.Log.Error("the kept configuration cannot be used: waiting for one from the daemon", "file", s.options.File, "error", err)
	case found:
		s.options.Apply(config)
		s.generation = s.options.Generation(config)
		s.options.Log.Info("serving the kept configuration", "generation", s.generation)
	}
}

func (s *Server[C]) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !found || subtle.ConstantTimeCompare([]byte(token), []byte(s.options.Token)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem.Write(w, synapse.Problem{
				Status: http.StatusUnauthorized, Code: synapse.CodeUnauthenticated,
				Detail: "send the token of the process's token file as a bearer token",
			})
			return
		}
		next(w, r)
	}
}

func (s *Server[C]) getConfig(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, Applied{s.generation})
}

func (s *Server[C]) putConfig(w http.ResponseWriter, r *http.Request) {
	config := new(C)
	// A field that this process does not know may be a restriction: ignoring it would serve what must not be served.
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxConfigBytes))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(config)
	if err == nil {
		err = s.options.Validate(config)
	}
	if err != nil {
		problem.Write(w, synapse.Problem{Status: http.StatusBadRequest, Code: synapse.CodeInvalid, Detail: err.Error()})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if generation := s.options.Generation(config); generation < s.generation {
		problem.Write(w, synapse.Problem{
			Status: http.StatusConflict, Code: synapse.CodeConflict,
			Detail: fmt.Sprintf("generation %d is older than %d, which is served", generation, s.generation),
		})
		return
	}
	// On disk first: what was served once must also be served after a restart.
	if err := WriteState(s.options.File, config); err != nil {
		s.options.Log.Error("keep the configuration", "error", err)
		problem.Write(w, synapse.Problem{
			Status: http.StatusInternalServerError, Code: synapse.CodeInternal, Detail: "keep the configuration: " + err.Error(),
		})
		return
	}
	s.options.Apply(config)
	s.generation = s.options.Generation(config)
	writeJSON(w, Applied{s.generation})
}

func writeJSON(w http.ResponseWriter, value any) {
	var body bytes.Buffer
	// Only maps and structs of numbers and strings come here: encoding them cannot fail.
	_ = json.NewEncoder(&body).Encode(value)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body.Bytes())
}

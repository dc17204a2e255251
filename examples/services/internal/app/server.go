// Package app is what the sample services have in common: configuration from the platform, transactions as the tenant
// that a request is for, answers in JSON, health and a graceful end.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The limits in time of a request and of the end of the process. Requests in flight get shutdownGrace to finish.
const (
	requestTimeout = 8 * time.Second
	healthTimeout  = 2 * time.Second
	shutdownGrace  = 10 * time.Second
)

// Handler serves one request of a tenant. An error it returns becomes the answer; see [Problem].
type Handler func(w http.ResponseWriter, r *http.Request, t Tenant) error

// Server is one service: its routes, and what all services answer alike.
type Server struct {
	config Config
	db     *Databases
	log    *slog.Logger
	mux    *http.ServeMux
}

// NewServer makes a server with the one route that all services have: /healthz, which is 200 only while the database
// answers.
func NewServer(config Config, db *Databases, log *slog.Logger) *Server {
	s := &Server{config: config, db: db, log: log, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /healthz", s.health)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, r, log, Refuse(http.StatusNotFound, "%s has no %s %s", config.Service, r.Method, r.URL.Path))
	})
	return s
}

// Handle adds a route for requests of tenants; pattern is one of [http.ServeMux].
func (s *Server) Handle(pattern string, handle Handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		tenant, err := TenantOf(r.Header)
		if err == nil {
			err = handle(w, r, tenant)
		}
		if err != nil {
			fail(w, r, s.log, err)
		}
	})
}

// ServeHTTP implements [http.Handler]: every answer says who gave it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Service", s.config.Service)
	w.Header().Set("X-Service-Version", s.config.Version)
	w.Header().Set("X-Service-Region", s.config.Region)
	s.mux.ServeHTTP(w, r)
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		s.log.WarnContext(ctx, "not healthy", "error", err)
		fail(w, r, s.log, Refuse(http.StatusServiceUnavailable, "the database does not answer"))
		return
	}
	_ = Write(w, http.StatusOK, map[string]string{"status": "ok"}) // a map of strings always marshals
}

// Run serves until ctx ends, then takes no new requests and finishes those in flight.
func (s *Server) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("listening for requests: %w", err)
	}
	return s.Serve(ctx, listener)
}

// Serve is [Server.Run] on a listener that is open already.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	s.log.InfoContext(ctx, "serving", "address", listener.Addr().String(),
		"service", s.config.Service, "version", s.config.Version, "region", s.config.Region)
	select {
	case err := <-served:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	s.log.Info("stopping: finishing requests in flight", "at_most", shutdownGrace)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return fmt.Errorf("requests were still in flight after %s: %w", shutdownGrace, errors.Join(err, server.Close()))
	}
	return nil
}

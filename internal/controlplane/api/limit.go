package api

import (
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/time/rate"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// limit refuses requests while the daemon is not ready, shuts down, or has too many of them. Health, metrics and the
// API's description are always served.
func (s *server) limit(next http.Handler) http.Handler {
	limiter := rate.NewLimiter(rate.Inf, 0)
	if s.Limits.RequestsPerSecond > 0 {
		limiter = rate.NewLimiter(rate.Limit(s.Limits.RequestsPerSecond), max(1, s.Limits.Burst))
	}
	var slots chan struct{}
	if s.Limits.Concurrent > 0 {
		slots = make(chan struct{}, s.Limits.Concurrent)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") && !strings.HasPrefix(r.URL.Path, "/v2/") {
			next.ServeHTTP(w, r)
			return
		}
		if p := s.unavailable(r); p != nil {
			writeProblem(w, r, p)
			return
		}
		if !limiter.Allow() {
			writeProblem(w, r, tooMany("too many requests: %v a second are allowed", s.Limits.RequestsPerSecond))
			return
		}
		if slots != nil {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			default:
				writeProblem(w, r, tooMany("too many requests at the same time: %d are allowed", s.Limits.Concurrent))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func tooMany(format string, args ...any) *synapse.Problem {
	p := newProblem(http.StatusTooManyRequests, format, args...)
	p.RetryAfterSeconds = 1
	return p
}

// unavailable returns why the daemon can not serve, or nil.
func (s *server) unavailable(r *http.Request) *synapse.Problem {
	reason := ""
	select {
	case <-s.Closing:
		reason = "the daemon is shutting down"
	default:
		if s.Ready != nil {
			if err := s.Ready(r.Context()); err != nil {
				s.Log.Debug("not ready", slog.Any("error", err))
				reason = "the daemon is not ready yet"
			}
		}
	}
	if reason == "" {
		return nil
	}
	p := newProblem(http.StatusServiceUnavailable, "%s: try again", reason)
	p.RetryAfterSeconds = 1
	return p
}

package api

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// requestInfo is what is known of a request; the layers below fill it in for the log above them.
type requestInfo struct {
	id    string
	actor string // name of the token, "" before authentication
}

type infoKey struct{}

// infoOf returns what is known of the request, never nil.
func infoOf(ctx context.Context) *requestInfo {
	if info, ok := ctx.Value(infoKey{}).(*requestInfo); ok {
		return info
	}
	return &requestInfo{}
}

// requestIDHeader carries the id that finds a request in the log.
const requestIDHeader = "X-Request-Id"

// wrap puts around the routes what all requests have in common.
func (s *server) wrap(routes http.Handler) (http.Handler, error) {
	meters, err := newMeters(s.Metrics)
	if err != nil {
		return nil, err
	}
	guarded := limitBodies(s.limit(problemsForRoutes(routes)), bodyTimeout, bodyRate)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		info := &requestInfo{id: requestID(r.Header.Get(requestIDHeader))}
		r = r.WithContext(context.WithValue(r.Context(), infoKey{}, info))
		w.Header().Set(synapse.APIVersionHeader, synapse.APIVersion)
		w.Header().Set(requestIDHeader, info.id)
		w.Header().Set("X-Content-Type-Options", "nosniff")

		recorder := &recorder{ResponseWriter: w}
		meters.inFlight.Inc()
		defer func() {
			meters.inFlight.Dec()
			if fault := recover(); fault != nil {
				s.recovered(recorder, r, fault)
			}
			elapsed := time.Since(start)
			meters.observe(r, recorder.code(), elapsed)
			s.logAccess(r, info, recorder, elapsed)
		}()
		guarded.ServeHTTP(recorder, r)
	}), nil
}

// recovered answers for a handler that panicked, without telling the client why.
func (s *server) recovered(w *recorder, r *http.Request, fault any) {
	if fault == http.ErrAbortHandler { //nolint:errorlint // net/http panics with this very value
		panic(fault)
	}
	s.Log.Error("panic", slog.String("request_id", infoOf(r.Context()).id), slog.Any("panic", fault), slog.String("stack", string(debug.Stack())))
	if w.status == 0 {
		writeProblem(w, r, newProblem(http.StatusInternalServerError, "the server failed: its log has more under this request id"))
	}
}

func (s *server) logAccess(r *http.Request, info *requestInfo, w *recorder, elapsed time.Duration) {
	level := slog.LevelInfo
	switch r.URL.Path {
	case "/healthz", "/readyz", "/metrics":
		level = slog.LevelDebug
	}
	s.Log.LogAttrs(r.Context(), level, "request",
		slog.String("request_id", info.id), slog.String("actor", info.actor), slog.String("method", r.Method),
		slog.String("path", r.URL.EscapedPath()), slog.Int("status", w.code()), slog.Int64("bytes", w.bytes),
		slog.Duration("duration", elapsed), slog.String("remote", r.RemoteAddr))
}

// requestID takes over the client's id when it is harmless in a log and a header, and else makes one.
func requestID(header string) string {
	if header == "" || len(header) > 128 {
		return uuid.NewString()
	}
	for _, char := range []byte(header) {
		if char <= ' ' || char > '~' {
			return uuid.NewString()
		}
	}
	return header
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets [http.ResponseController] reach the writer below.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // what is below 200 precedes the answer
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// problemsForRoutes makes problems of the plain answers that [http.ServeMux] gives for unknown paths and methods.
func problemsForRoutes(routes http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		routes.ServeHTTP(&routeWriter{ResponseWriter: w, request: r}, r)
	})
}

// routeWriter replaces the errors of a mux that found no route.
type routeWriter struct {
	http.ResponseWriter
	request  *http.Request
	replaced bool
}

// Unwrap lets [http.ResponseController] reach the writer below.
func (w *routeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *routeWriter) WriteHeader(status int) {
	if w.request.Pattern != "" || status < 400 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.replaced = true
	p := newProblem(status, "there is nothing at this path")
	if status == http.StatusMethodNotAllowed {
		p.Detail = "this path takes " + w.Header().Get("Allow") + " only, not " + strconv.Quote(w.request.Method)
	}
	writeProblem(w.ResponseWriter, w.request, p)
}

// Write implements [http.ResponseWriter].
func (w *routeWriter) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

const (
	// maxMirrored bounds the copies in flight. Beyond it they are dropped: a slow mirror must not fill the memory.
	maxMirrored   = 64
	mirrorTimeout = 10 * time.Second
)

// mirror copies requests of a split to one of its backends.
type mirror struct {
	backend *backend
	percent int
	methods []string // none that may change something
	metrics *mirrorMetrics
}

// wants reports whether a request that another backend serves is copied. One that the mirror's own backend serves is not: it
// has that one already.
func (m *mirror) wants(r *http.Request, served *backend, t *tenant) bool {
	return m != nil && served != m.backend && m.backend.serves(t) && slices.Contains(m.methods, r.Method) && r.Header.Get("Upgrade") == "" &&
		(m.percent == 100 || rand.IntN(100) < m.percent)
}

// send sends a copy of a request in the background. It neither waits nor fails.
func (m *mirror) send(x *regionExchange, r *http.Request) {
	g := x.gateway
	select {
	case g.mirrored <- struct{}{}:
	default:
		m.metrics.dropped.Inc()
		return
	}
	// The server takes the request back when it is answered, so nothing of it may be shared.
	copied := &http.Request{
		Method: r.Method, URL: new(*r.URL), Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: r.Header.Clone(), Body: http.NoBody, Host: r.Host, RemoteAddr: r.RemoteAddr,
	}
	copied.Header.Del("Content-Length")
	copied.Header.Del("Expect")
	m.backend.rewriting.apply(copied.URL)
	exchange := &mirroredExchange{regionExchange{
		gateway: g, table: x.table, tenant: x.tenant, sender: x.sender, requestID: x.requestID, backend: m.backend,
		limits: m.backend.limits, unmeasured: true,
		hops: x.hops,
	}}
	go func() {
		defer func() { <-g.mirrored }()
		ctx, cancel := context.WithTimeout(context.Background(), mirrorTimeout)
		defer cancel()
		defer func() {
			// A proxy tells its server to hang up by panicking; here there is nobody to hang up on.
			fault := recover()
			if err, _ := fault.(error); fault != nil && !errors.Is(err, http.ErrAbortHandler) {
				g.log.Error("a mirrored request failed", "split", m.backend.split, "request_id", exchange.requestID, "error", fault)
			}
			m.metrics.byOutcome[exchange.outcome].Inc()
		}()
		g.proxy.Serve(discard{make(http.Header)}, copied.WithContext(ctx), exchange)
	}()
}

// mirroredExchange is the copy of a request. It implements [forward.Exchange].
type mirroredExchange struct{ regionExchange }

// Prepare implements [forward.Exchange].
func (x *mirroredExchange) Prepare(header http.Header) {
	x.regionExchange.Prepare(header)
	header[HeaderMirrored] = []string{"true"}
}

// Answered implements [forward.Exchange].
func (x *mirroredExchange) Answered(response *http.Response) {
	x.outcome = outcomeOf(response.StatusCode)
}

// Failed implements [forward.Exchange]: the copy counts as none.
func (x *mirroredExchange) Failed(w http.ResponseWriter, _ *http.Request, _ error) {
	w.WriteHeader(http.StatusBadGateway)
}

// discard drops an answer.
type discard struct{ header http.Header }

// Header implements [http.ResponseWriter].
func (d discard) Header() http.Header { return d.header }

// Write implements [http.ResponseWriter].
func (d discard) Write(content []byte) (int, error) { return len(content), nil }

// WriteHeader implements [http.ResponseWriter].
func (d discard) WriteHeader(int) {}

package forward

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// relay passes an answer on.
func (p *Proxy) relay(f *flight, response *http.Response) {
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		p.relayUpgrade(f, response)
		return
	}
	removeOneHop(response.Header)
	f.exchange.Answered(response)
	header := f.client.Header()
	addAll(header, response.Header)
	if _, found := header["Content-Type"]; !found {
		header["Content-Type"] = nil // the server would guess one
	}
	// A stream of HTTP/2 ends without its connection.
	if body, ok := response.Body.(interface{ RequestUnfinished() bool }); ok && body.RequestUnfinished() && f.in.ProtoMajor < 2 {
		f.closeGently()
		defer f.upload.interrupt() // else the server waits for the rest of the body before it closes
	}
	for name := range response.Trailer {
		if !reserved(name) {
			header.Add("Trailer", name)
		}
	}
	f.client.WriteHeader(response.StatusCode)
	if err := p.copyBody(f, response); err != nil {
		trailer := f.brokeOff(p.log, err)
		if trailer == nil || response.ContentLength >= 0 { // with a length, an end before it cannot be told from what is left out
			panic(http.ErrAbortHandler)
		}
		addTrailer(f.client, nil, trailer)
		return
	}
	f.exchange.Completed(response.Trailer)
	addTrailer(f.client, header["Trailer"], response.Trailer)
}

// brokeOff says whose fault it is that the body of an answer did not reach its end, and returns the trailer to end it with, or
// nil.
func (f *flight) brokeOff(log *slog.Logger, err error) http.Header {
	reason := fault.Of(err)
	if reason == "" || f.left() { // the client takes no more of it, or has left
		log.Debug("a client left in the middle of an answer", "endpoint", f.endpoint.ID(), "error", err)
		return nil
	}
	log.Warn("an endpoint broke off in the middle of its answer", "endpoint", f.endpoint.ID(), "reason", reason, "error", err)
	f.exchange.Faulted(reason)
	return f.exchange.Broken(reason)
}

// copyBody copies an answer's body. What comes bit by bit is passed on before the next bit is waited for. A client must take each
// part within the idle limit.
func (p *Proxy) copyBody(f *flight, response *http.Response) error {
	body, w := response.Body, f.client
	streams := response.ContentLength < 0 || strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	var controller *http.ResponseController
	idle := f.out.Limits.Idle
	if streams || response.ContentLength > bufferSize { // a short answer holds nobody up
		controller = http.NewResponseController(w)
	} else {
		idle = 0
	}
	if streams {
		if early, ok := body.(interface{ Ready() bool }); !ok || !early.Ready() {
			if err := flush(controller); err != nil {
				return err
			}
		}
	}
	buffer := p.buffers.Get().(*[bufferSize]byte)
	defer p.buffers.Put(buffer)
	for {
		n, err := body.Read(buffer[:])
		if n > 0 {
			if idle > 0 {
				_ = controller.SetWriteDeadline(time.Now().Add(idle)) // a writer without connection waits for nobody
			}
			_, failure := w.Write(buffer[:n])
			if failure == nil && streams && err == nil {
				failure = flush(controller)
			}
			if idle > 0 {
				_ = controller.SetWriteDeadline(time.Time{})
			}
			if failure != nil {
				return failure
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// flush sends what the server keeps. A writer that keeps nothing is no error.
func flush(controller *http.ResponseController) error {
	if err := controller.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// passInterim passes an answer 1xx on, but not to a client of HTTP/1.0, which would take it for the final one: RFC 9110, 15.2.
func (f *flight) passInterim(status int, interim http.Header) {
	if !f.in.ProtoAtLeast(1, 1) {
		return
	}
	removeOneHop(interim)
	for name := range interim {
		if hasFoldedPrefix(name, reservedPrefixes[0]) { // only gateways may say these
			delete(interim, name)
		}
	}
	header := f.client.Header()
	before := header.Clone()
	addAll(header, interim)
	f.client.WriteHeader(status)
	for name := range interim {
		if values, found := before[name]; found {
			header[name] = values
		} else {
			delete(header, name)
		}
	}
}

// addTrailer sends the trailer: the fields that were announced, and others in the way that the server offers for them.
func addTrailer(w http.ResponseWriter, announced []string, trailer http.Header) {
	header := w.Header()
	for name, values := range trailer {
		switch {
		case reserved(name), upstream.OfOneHop(name), name == "Content-Length":
		case slices.Contains(announced, name):
			header[name] = values
		default:
			header[http.TrailerPrefix+name] = values
		}
	}
}

func addAll(to, from http.Header) {
	for name, values := range from {
		if before := to[name]; before != nil {
			values = slices.Concat(before, values)
		}
		to[name] = values
	}
}

// closeGently has the server end the connection after the answer, and not at once: what the client still sends would be met with a
// reset, which takes an answer away that it has not read (RFC 9112, 9.6). It is what the server does for a body that is too long.
func (f *flight) closeGently() {
	f.client.Header().Set("Connection", "close")
	_, _ = http.MaxBytesReader(f.client, io.NopCloser(strings.NewReader(".")), 0).Read(make([]byte, 1))
}

package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// bodyTimeout is how long a client may take to send a body; bodyRate, in bytes a second, prolongs it for what has come. An
	// image of 512 MiB has hours, and who trickles nothing.
	bodyTimeout = 15 * time.Second
	bodyRate    = 16 << 10
)

// limitBodies bounds how long bodies may take, whoever reads them: the server itself does with those that no handler reads, of
// clients without a token, too. Answers, and requests that wait, take as long as they need.
func limitBodies(next http.Handler, timeout time.Duration, rate int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			limited := &limitedBody{
				ReadCloser: r.Body, controller: http.NewResponseController(w), rate: rate,
				until: time.Now().Add(timeout), // the network's clock, not that of the logic
			}
			limited.set(limited.until)
			r = r.WithContext(r.Context())
			r.Body = limited
		}
		next.ServeHTTP(w, r)
	})
}

// limitedBody is a body that must have come until a time, which moves on with what has come.
type limitedBody struct {
	io.ReadCloser
	controller *http.ResponseController
	rate, read int64
	until      time.Time
}

// Read implements [io.Reader].
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		// With a deadline left over, net/http would take the client's silence for its end and cancel the request.
		b.set(time.Time{})
	case err == nil:
		b.set(b.until.Add(time.Duration(b.read) * time.Second / time.Duration(b.rate)))
	}
	return n, err
}

// set sets the deadline. Writers that know none, such as those of tests, have no connection to wait for.
func (b *limitedBody) set(deadline time.Time) { _ = b.controller.SetReadDeadline(deadline) }

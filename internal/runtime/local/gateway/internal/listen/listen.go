// Package listen opens the loopback ports of the data plane and serves HTTP on them.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certfile"
)

const (
	// drainTimeout is how long requests in flight may take to finish when the process stops.
	drainTimeout = 10 * time.Second
	// readHeaderTimeout and idleTimeout free the connections of clients that send slowly or nothing. There is no limit
	// for bodies: streams and uploads may take as long as they need.
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 75 * time.Second
	maxHeaderBytes    = 64 << 10
	// maxStreams bounds the requests that one connection of HTTP/2 has at a time; a client with more opens another one.
	maxStreams = 250
	// receiveBuffer bounds what is kept of the bodies that one connection of HTTP/2 sends faster than they are passed on.
	receiveBuffer = 1 << 20
	// After pingAfter of silence a connection of HTTP/2 must answer a ping within pingTimeout: its peer may be gone while
	// a stream is open, for which there is no limit.
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// TCP opens a loopback port. purpose completes "listen for …" in an error.
func TCP(ctx context.Context, address, purpose string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %q is not host:port: %w", purpose, address, err)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("listen for %s: %q is not a loopback address: use 127.0.0.1:%s", purpose, address, port)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen for %s: port %s of %s is in use: stop the process that holds it or choose another port: %w", purpose, port, host, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen for %s: port %s of %s needs privileges: choose a port above 1023: %w", purpose, port, host, err)
	case err != nil:
		return nil, fmt.Errorf("listen for %s on port %s of %s: choose another port: %w", purpose, port, host, err)
	}
	return listener, nil
}

// Serve answers requests on listener until ctx ends, then lets those in flight finish. It speaks HTTP/1.1, and HTTP/2 with
// clients that know beforehand that it does (RFC 9113, 3.3).
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := newServer(handler, log)
	return run(ctx, server, listener.Addr(), log, func() error { return server.Serve(listener) })
}

// ServeTLS is [Serve] with TLS: the client chooses HTTP/2 or HTTP/1.1 in the handshake (RFC 7301). A client that speaks
// plain HTTP gets an answer 400 that says so.
func ServeTLS(ctx context.Context, listener net.Listener, handler http.Handler, certificate *certfile.Certificate, log *slog.Logger) error {
	server := newServer(handler, log)
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.Get}
	return run(ctx, server, listener.Addr(), log, func() error { return server.ServeTLS(listener, "", "") })
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes, // of a header list of HTTP/2, too
		Protocols:         protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: receiveBuffer,
			MaxReceiveBufferPerStream:     receiveBuffer,
			SendPingTimeout:               pingAfter,
			PingTimeout:                   pingTimeout,
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// run serves until ctx ends.
func run(ctx context.Context, server *http.Server, address net.Addr, log *slog.Logger, serve func() error) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		// ctx has ended; what is in flight gets its own time.
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err := server.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) {
			log.Warn("requests were still in flight when the time to drain was over", "address", address.String())
			err = server.Close()
		}
		stopped <- err
	})
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("serve on %s: %w", address, errors.Join(err, server.Close()))
	}
	return <-stopped
}

// Package listen opens the loopback ports of the data plane and serves HTTP on them.
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

const (
	// drainTimeout is how long requests in flight may take to finish when the process stops.
	drainTimeout = 10 * time.Second
	// readHeaderTimeout and idleTimeout free the connections of clients that send slowly or nothing. There is no limit
	// for bodies: streams and uploads may take as long as they need.
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 75 * time.Second
	maxHeaderBytes    = 64 << 10
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

// Serve answers requests on listener until ctx ends, then lets those in flight finish.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		// ctx has ended; what is in flight gets its own time.
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err := server.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) {
			log.Warn("requests were still in flight when the time to drain was over", "address", listener.Addr().String())
			err = server.Close()
		}
		stopped <- err
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("serve on %s: %w", listener.Addr(), errors.Join(err, server.Close()))
	}
	return <-stopped
}

package forward

import (
	"context"
	"net"
	"time"
)

// dialTimeout is how long connecting takes at most, where nothing else is said.
const dialTimeout = 2 * time.Second

// Network is how endpoints are reached. The zero value is plain TCP.
type Network struct {
	// Dial connects to a target, before TLS. The connection must be a [syscall.Conn].
	Dial func(ctx context.Context, target Target) (net.Conn, error)
	// DialTimeout bounds how long connecting takes where a request sets no limit that is shorter; 0 leaves it to the request.
	DialTimeout time.Duration
}

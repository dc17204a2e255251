package client

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// maxConnections is how many writes may be on their way at once, each on a connection of its own: more would take the
	// server's connections from those whose service is measured.
	maxConnections = 64
	// maxIdle is how many connections are kept for the next writes.
	maxIdle        = 4
	connectTimeout = 500 * time.Millisecond
	// leastWriteTime is how long a write may take at least. One that waits for a lock or a disk is slow, not lost.
	leastWriteTime = 2 * time.Second
	insertMarker   = "INSERT INTO synapse_drill.markers (run, seq) VALUES ($1, $2)"
)

// marker writes the markers.
type marker struct {
	config  *pgconn.Config
	run     string
	timeout time.Duration

	mu   sync.Mutex
	idle []*pgconn.PgConn
}

func newMarker(spec Spec) (*marker, error) {
	config, err := pgconn.ParseConfig(spec.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("the database write endpoint's URL: %w", err) // pgconn leaves the password out
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = "synapse drill " + spec.Run
	return &marker{config: config, run: spec.Run, timeout: max(spec.MaxLatency, leastWriteTime)}, nil
}

// send writes one marker, once. When no acknowledgement is seen it has failed, even if the database has it.
func (m *marker) send(ctx context.Context, seq int64) string {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	conn, err := m.take(ctx)
	if err != nil {
		return classOf(err)
	}
	result := conn.ExecParams(ctx, insertMarker, [][]byte{[]byte(m.run), []byte(strconv.FormatInt(seq, 10))}, nil, nil, nil).Read()
	if result.Err != nil {
		m.discard(conn)
		return classOf(result.Err)
	}
	m.keep(conn)
	return ""
}

// take returns a connection that nobody uses, or dials a new one at once.
func (m *marker) take(ctx context.Context) (*pgconn.PgConn, error) {
	m.mu.Lock()
	if last := len(m.idle) - 1; last >= 0 {
		conn := m.idle[last]
		m.idle = m.idle[:last]
		m.mu.Unlock()
		return conn, nil
	}
	m.mu.Unlock()
	return pgconn.ConnectConfig(ctx, m.config)
}

// keep keeps a connection that works for the next write.
func (m *marker) keep(conn *pgconn.PgConn) {
	m.mu.Lock()
	full := len(m.idle) >= maxIdle
	if !full {
		m.idle = append(m.idle, conn)
	}
	m.mu.Unlock()
	if full {
		hangUp(conn)
	}
}

// discard ends a connection on which a write failed, and those that wait for a write: they lead to the same server, which
// is gone or takes no writes any more, and each would cost one more write.
func (m *marker) discard(conn *pgconn.PgConn) {
	m.mu.Lock()
	broken := append(m.idle, conn)
	m.idle = nil
	m.mu.Unlock()
	for _, conn := range broken {
		hangUp(conn)
	}
}

func (m *marker) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, conn := range m.idle {
		hangUp(conn)
	}
	m.idle = nil
}

// hangUp ends a connection, without waiting for a server that may be gone.
func hangUp(conn *pgconn.PgConn) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = conn.Close(now)
}

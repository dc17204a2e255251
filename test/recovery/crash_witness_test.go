package recovery

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	drillclient "github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// witness writes through the database write endpoint all the time, and knows nothing of drills. What was acknowledged to it
// must never be lost.
type witness struct {
	d     *synapsedtest.Daemon
	tail  *drillclient.Tail
	acked []int64
}

const witnessRun = "witness"

func newWitness(t *testing.T, d *synapsedtest.Daemon) *witness {
	t.Helper()
	output := filepath.Join(t.TempDir(), "samples")
	w := &witness{d: d, tail: drillclient.NewTail(output)}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	spec := drillclient.Spec{
		Run: witnessRun, WritesPerSecond: 5, MaxLatency: 2 * time.Second, DatabaseURL: w.databaseURL(t, d.DatabaseAddress),
		Output: output, Until: time.Now().Add(24 * time.Hour),
	}
	go func() { done <- drillclient.Run(ctx, spec) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

// databaseURL is that of a server for the login that writes markers.
func (w *witness) databaseURL(t *testing.T, address string) string {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(w.d.DataDir, "local", "postgres", "secrets", "synapse_drill"))
	require.NoError(t, err)
	return "postgres://synapse_drill:" + string(password) + "@" + address + "/synapse?sslmode=disable&connect_timeout=2"
}

// query asks a server, and closes the connection.
func (w *witness) query(ctx context.Context, t *testing.T, address, sql string, args ...any) ([]int64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, w.databaseURL(t, address))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// readOnly is how PostgreSQL refuses a write of a standby, or of a server that was fenced.
const readOnly = "25006"

// takesWrites tries a write at a server itself. It is an error when the server does not say clearly that it takes none.
func (w *witness) takesWrites(ctx context.Context, t *testing.T, address string) (bool, error) {
	t.Helper()
	_, err := w.query(ctx, t, address, "INSERT INTO synapse_drill.markers (run, seq) VALUES ('probe', $1) RETURNING seq", time.Now().UnixNano())
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == readOnly {
		return false, nil
	}
	return err == nil, err
}

// requireNothingLost fails when the database lacks a marker whose write was acknowledged, of the witness or of a run.
func (w *witness) requireNothingLost(t *testing.T, run string) {
	t.Helper()
	samples, err := w.tail.Poll()
	require.NoError(t, err)
	w.acked = append(w.acked, acknowledged(samples)...)
	require.NotEmpty(t, w.acked, "the witness was never answered")
	w.requirePresent(t, witnessRun, w.acked)
	samples, err = drillclient.NewTail(filepath.Join(w.d.DataDir, "local", "drills", run+".samples.jsonl")).Poll()
	require.NoError(t, err)
	w.requirePresent(t, run, acknowledged(samples))
}

func (w *witness) requirePresent(t *testing.T, run string, acked []int64) {
	t.Helper()
	present, err := w.query(t.Context(), t, w.d.DatabaseAddress, "SELECT seq FROM synapse_drill.markers WHERE run = $1", run)
	require.NoError(t, err)
	there := map[int64]bool{}
	for _, seq := range present {
		there[seq] = true
	}
	for _, seq := range acked {
		require.True(t, there[seq], "marker %d of %s was acknowledged, and is lost", seq, run)
	}
}

func acknowledged(samples []drillclient.Sample) []int64 {
	var numbers []int64
	for _, sample := range samples {
		if sample.Kind == drillclient.KindMarker && sample.OK {
			numbers = append(numbers, sample.Seq)
		}
	}
	return numbers
}

// reachable reports whether anything listens.
func reachable(ctx context.Context, address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

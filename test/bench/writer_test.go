package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	drillmeasure "github.com/apex-innovations/terraform-provider-synapse/internal/drill/measure"
)

const (
	writesPerSecond = 50
	// steadyWrites is how many acknowledged writes in a row show that a database works.
	steadyWrites = 2 * writesPerSecond
	// writerName is what a writer's markers carry.
	writerName = "bench"
	// patience is how long anything may take on a busy machine.
	patience = 3 * time.Minute
)

// writer writes to a database at a steady rate, each write with a number of its own, and remembers which were acknowledged.
type writer struct {
	url     string
	tail    *client.Tail
	samples []client.Sample
	// stop returns when all that was sent is answered or given up, and in the samples.
	stop func(t *testing.T)
}

// startWriter starts a writer, which ends with the test.
func startWriter(t *testing.T, url string) *writer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "samples")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- client.Run(ctx, client.Spec{
			Run: writerName, WritesPerSecond: writesPerSecond, MaxLatency: time.Second, DatabaseURL: url, Output: file,
			Until: time.Now().Add(2 * patience),
		})
		close(ended)
	}()
	w := &writer{url: url, tail: client.NewTail(file)}
	w.stop = func(t *testing.T) {
		cancel()
		require.NoError(t, <-ended)
		w.poll(t)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Log(err)
		}
	})
	return w
}

func (w *writer) poll(t *testing.T) {
	t.Helper()
	more, err := w.tail.Poll()
	require.NoError(t, err)
	w.samples = append(w.samples, more...)
}

// awaitSteady waits until many writes in a row, all of them sent after a time, were acknowledged.
func (w *writer) awaitSteady(t *testing.T, after time.Time) {
	t.Helper()
	await(t, "writes are acknowledged steadily", func() (bool, string) {
		w.poll(t)
		inRow, last := 0, ""
		for _, s := range w.samples {
			switch {
			case !s.OK:
				inRow, last = 0, s.Error
			case s.Sent().After(after):
				inRow++
			}
		}
		return inRow >= steadyWrites, fmt.Sprintf("%d of %d in a row; the last error: %s", inRow, steadyWrites, last)
	})
}

// recovery is what a writer saw of the loss of a primary.
type recovery struct {
	outage       time.Duration
	lost         int
	acknowledged int
}

// awaitRecovery waits until writes are acknowledged again after a loss, and looks for the acknowledged ones in the database
// that serves now.
func (w *writer) awaitRecovery(t *testing.T, lostAt time.Time) recovery {
	t.Helper()
	var outage drillmeasure.Outage
	await(t, "writes are acknowledged again", func() (bool, string) {
		w.poll(t)
		outage = drillmeasure.FindOutage(w.samples, lostAt, drillmeasure.Consecutive)
		return outage.Recovered, fmt.Sprintf("%+v", outage)
	})
	w.awaitSteady(t, outage.RecoveredAt)
	w.stop(t)
	lost, _ := drillmeasure.Lost(w.samples, w.present(t))
	r := recovery{outage: outage.Length, lost: len(lost)}
	errors := map[string]int{}
	for _, s := range w.samples {
		if s.OK {
			r.acknowledged++
		} else {
			errors[s.Error]++
		}
	}
	t.Logf("no write was acknowledged for %s; of %d acknowledged ones %d are lost; those that failed: %v",
		r.outage.Round(time.Millisecond), r.acknowledged, r.lost, errors)
	return r
}

// present are the numbers of the writes that the database has.
func (w *writer) present(t *testing.T) []int64 {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT seq FROM synapse_drill.markers WHERE run = $1", writerName)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	return all
}

// await polls until something is so. When it does not come to that, the failure says what was seen last.
func await(t *testing.T, what string, is func() (bool, string)) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.Now().Add(patience)
	for {
		done, seen := is()
		if done {
			return
		}
		if time.Now().After(deadline) {
			require.FailNow(t, "it did not come to that", "%s: %s", what, seen)
		}
		<-ticker.C
	}
}

package client_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
)

// patience is for a machine that is busy with much else.
const patience = time.Minute

// running is a client at work.
type running struct {
	t    *testing.T
	tail *client.Tail
	seen []client.Sample
	stop context.CancelFunc
	done chan error
}

func start(t *testing.T, spec client.Spec) *running {
	spec.Run, spec.Output = "run", filepath.Join(t.TempDir(), "samples")
	if spec.Until.IsZero() {
		spec.Until = time.Now().Add(time.Hour)
	}
	if spec.MaxLatency == 0 {
		spec.MaxLatency = 10 * time.Second
	}
	ctx, stop := context.WithCancel(t.Context())
	r := &running{t: t, tail: client.NewTail(spec.Output), stop: stop, done: make(chan error, 1)}
	go func() { r.done <- client.Run(ctx, spec) }()
	t.Cleanup(stop)
	return r
}

// await polls until the samples are as they should be.
func (r *running) await(what string, is func([]client.Sample) bool) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		more, err := r.tail.Poll()
		require.NoError(r.t, err)
		r.seen = append(r.seen, more...)
		return is(r.seen)
	}, patience, 5*time.Millisecond, what)
}

// end ends the client and returns all that it saw.
func (r *running) end() []client.Sample {
	r.t.Helper()
	r.stop()
	require.NoError(r.t, <-r.done)
	more, err := r.tail.Poll()
	require.NoError(r.t, err)
	return append(r.seen, more...)
}

func atLeast(count int, is func(client.Sample) bool) func([]client.Sample) bool {
	return func(samples []client.Sample) bool {
		found := 0
		for _, sample := range samples {
			if is(sample) {
				found++
			}
		}
		return found >= count
	}
}

func good(s client.Sample) bool { return s.OK }

func failedAs(class string) func(client.Sample) bool {
	return func(s client.Sample) bool { return !s.OK && s.Error == class }
}

// requireWhole checks that each number is there once: each thing was tried once, and each try was written down.
func requireWhole(t *testing.T, samples []client.Sample) {
	t.Helper()
	var numbers []int64
	for _, sample := range samples {
		numbers = append(numbers, sample.Seq)
	}
	slices.Sort(numbers)
	for i, number := range numbers {
		require.EqualValues(t, i+1, number)
	}
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestARequestIsGoodWhenItsAnswerIs2xxOr3xx(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]string{200: "", 204: "", 302: "", 404: "status 404", 503: "status 503"} {
		var asked atomic.Pointer[http.Request]
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Store(r.Clone(context.Background()))
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		r := start(t, client.Spec{EntryURL: url, Path: "/auth/healthz?deep=1", RequestsPerSecond: 100,
			Headers: map[string]string{"X-Synapse-Tenant": "acme", "Host": "shop.example.com"}})
		r.await("an answer", atLeast(3, func(s client.Sample) bool { return s.OK == (class == "") && s.Error == class }))
		for _, sample := range r.end() {
			require.Equal(t, client.KindRequest, sample.Kind)
			require.Equal(t, class, sample.Error, status)
		}
		require.Equal(t, "/auth/healthz?deep=1", asked.Load().URL.String(), "redirects are not followed")
		require.Equal(t, "acme", asked.Load().Header.Get("X-Synapse-Tenant"))
		require.Equal(t, "shop.example.com", asked.Load().Host)
	}
}

func TestARequestThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	release := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		if requests.Add(1) == 3 {
			<-release
		}
	})
	r := start(t, client.Spec{EntryURL: url, Path: "/", RequestsPerSecond: 100, MaxLatency: patience})
	r.await("good answers after the one that hangs", func(samples []client.Sample) bool {
		return slices.ContainsFunc(samples, func(s client.Sample) bool { return s.OK && s.Seq > 30 })
	})
	require.False(t, slices.ContainsFunc(r.seen, func(s client.Sample) bool { return !s.OK || s.Seq == 3 }), "it still hangs")
	close(release)
	requireWhole(t, r.end())
}

func TestARequestThatTakesTooLongIsGivenUp(t *testing.T) {
	t.Parallel()
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r := start(t, client.Spec{EntryURL: url, Path: "/", RequestsPerSecond: 20, MaxLatency: 50 * time.Millisecond})
	r.await("a timeout", atLeast(3, failedAs("timeout")))
	for _, sample := range r.end() {
		require.False(t, sample.OK)
		require.GreaterOrEqual(t, sample.Took, 50*time.Millisecond)
		require.Equal(t, sample.Took, sample.Answered().Sub(sample.Sent()))
	}
}

func TestThoseInFlightAreBounded(t *testing.T) {
	t.Parallel()
	var hanging atomic.Int64
	release := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		hanging.Add(1)
		defer hanging.Add(-1)
		<-release
	})
	r := start(t, client.Spec{EntryURL: url, Path: "/", RequestsPerSecond: 2000, MaxLatency: patience})
	r.await("samples over the bound", atLeast(20, failedAs("too many in flight")))
	require.LessOrEqual(t, hanging.Load(), int64(1024))
	close(release)
	r.await("good ones again", atLeast(1, good))
	requireWhole(t, r.end())
}

func TestWhatIsOnItsWayWhenTheClientEndsIsWrittenDown(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 1000), make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	r := start(t, client.Spec{EntryURL: url, Path: "/", RequestsPerSecond: 50, MaxLatency: patience})
	for range 3 {
		<-arrived
	}
	r.stop()
	close(release)
	samples := r.end()
	require.GreaterOrEqual(t, len(samples), 3)
	requireWhole(t, samples)
	for _, sample := range samples {
		require.True(t, sample.OK, sample.Error)
	}
}

func TestTheClientEndsByItself(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	r := start(t, client.Spec{EntryURL: url, Path: "/", RequestsPerSecond: 50, Until: time.Now().Add(300 * time.Millisecond)})
	select {
	case err := <-r.done:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "the client still runs")
	}
}

func TestSamplesAreReadableWhileTheClientRuns(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	r := start(t, client.Spec{EntryURL: url, Path: "/", RequestsPerSecond: 20})
	r.await("a sample in the file", atLeast(1, good)) // a full buffer would take a thousand of them
}

// database makes the table of markers and returns its URL.
func database(t *testing.T) (string, *pgx.Conn) {
	url := pgservertest.Start(t)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(t.Context(), `CREATE SCHEMA synapse_drill;
		CREATE TABLE synapse_drill.markers (run text NOT NULL, seq bigint NOT NULL, written_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run, seq))`)
	require.NoError(t, err)
	return url, conn
}

func markersIn(t *testing.T, conn *pgx.Conn) []int64 {
	rows, err := conn.Query(t.Context(), "SELECT seq FROM synapse_drill.markers WHERE run = 'run' ORDER BY seq")
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	return found
}

func TestAcknowledgedMarkersAreInTheDatabase(t *testing.T) {
	t.Parallel()
	url, conn := database(t)
	r := start(t, client.Spec{DatabaseURL: url, WritesPerSecond: 100})
	r.await("markers", atLeast(20, good))
	samples := r.end()
	requireWhole(t, samples)
	var acknowledged []int64
	for _, sample := range samples {
		require.Equal(t, client.KindMarker, sample.Kind)
		if sample.OK {
			acknowledged = append(acknowledged, sample.Seq)
		}
	}
	slices.Sort(acknowledged)
	require.Equal(t, acknowledged, markersIn(t, conn))
}

func TestAMarkerThatHangsIsTriedOnceAndDelaysNoOther(t *testing.T) {
	t.Parallel()
	url, conn := database(t)
	// The fifth one waits for a lock.
	_, err := conn.Exec(t.Context(), "BEGIN; INSERT INTO synapse_drill.markers (run, seq) VALUES ('run', 5)")
	require.NoError(t, err)
	r := start(t, client.Spec{DatabaseURL: url, WritesPerSecond: 100, MaxLatency: patience})
	r.await("markers behind the one that hangs", func(samples []client.Sample) bool {
		return slices.ContainsFunc(samples, func(s client.Sample) bool { return s.OK && s.Seq > 50 })
	})
	require.False(t, slices.ContainsFunc(r.seen, func(s client.Sample) bool { return s.Seq == 5 }), "it still waits")
	_, err = conn.Exec(t.Context(), "COMMIT")
	require.NoError(t, err)
	samples := r.end()
	requireWhole(t, samples)
	fifth := samples[slices.IndexFunc(samples, func(s client.Sample) bool { return s.Seq == 5 })]
	require.Equal(t, "database refuses: SQLSTATE 23505", fifth.Error)
}

func TestMarkersGoOnWhenConnectionsBreak(t *testing.T) {
	t.Parallel()
	url, conn := database(t)
	r := start(t, client.Spec{DatabaseURL: url, WritesPerSecond: 50})
	r.await("markers", atLeast(5, good))
	_, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = 'synapse drill run' AND datname = current_database()`)
	require.NoError(t, err)
	last := r.seen[len(r.seen)-1].Seq
	r.await("more markers", func(samples []client.Sample) bool {
		return slices.ContainsFunc(samples, func(s client.Sample) bool { return s.OK && s.Seq > last+10 })
	})
	samples := r.end()
	requireWhole(t, samples)
	bad := slices.DeleteFunc(samples, good)
	require.NotEmpty(t, bad)
	found := slices.MinFunc(bad, func(a, b client.Sample) int { return a.Answered().Compare(b.Answered()) }).Answered()
	late := slices.DeleteFunc(bad, func(s client.Sample) bool { return s.Sent().Before(found) })
	require.LessOrEqual(t, len(late), 4, "one write finds that the connections are broken; those sent later get new ones")
}

func TestADatabaseThatRefusesIsClassed(t *testing.T) {
	t.Parallel()
	url, conn := database(t)
	_, err := conn.Exec(t.Context(), "ALTER TABLE synapse_drill.markers ADD CHECK (seq < 0)")
	require.NoError(t, err)
	r := start(t, client.Spec{DatabaseURL: url, WritesPerSecond: 50})
	r.await("refusals", atLeast(3, failedAs("database refuses: SQLSTATE 23514")))
	r.end()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	r = start(t, client.Spec{DatabaseURL: "postgres://u:p@" + listener.Addr().String() + "/d?sslmode=disable", WritesPerSecond: 50,
		EntryURL: "http://" + listener.Addr().String(), Path: "/", RequestsPerSecond: 50})
	r.await("both are refused", func(samples []client.Sample) bool {
		for _, kind := range []client.Kind{client.KindRequest, client.KindMarker} {
			if !slices.ContainsFunc(samples, func(s client.Sample) bool { return s.Kind == kind && s.Error == "refused" }) {
				return false
			}
		}
		return true
	})
	r.end()
}

func TestTheSpecIsKeptSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spec.json")
	spec := client.Spec{Run: "r", EntryURL: "http://127.0.0.1:1", Path: "/", Headers: map[string]string{"A": "b"}, RequestsPerSecond: 1, WritesPerSecond: 2,
		MaxLatency: time.Second, DatabaseURL: "postgres://u:secret@h/d", Output: "o", Until: time.Date(2026, 3, 1, 0, 0, 0, 5, time.UTC)}
	require.NoError(t, spec.Write(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	read, err := client.ReadSpec(path)
	require.NoError(t, err)
	require.Equal(t, spec, read)
	_, err = client.ReadSpec(path + ".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAnIncompleteSpecIsRefused(t *testing.T) {
	t.Parallel()
	whole := func() client.Spec {
		return client.Spec{Run: "r", EntryURL: "http://127.0.0.1:1", Path: "/", RequestsPerSecond: 1, WritesPerSecond: 1, MaxLatency: time.Second,
			DatabaseURL: "postgres://u:p@127.0.0.1:1/d", Output: filepath.Join(t.TempDir(), "o"), Until: time.Now()}
	}
	require.NoError(t, client.Run(t.Context(), whole()))
	for message, change := range map[string]func(*client.Spec){
		"name of a run":        func(s *client.Spec) { s.Run = "" },
		"file for its samples": func(s *client.Spec) { s.Output = "" },
		"ends by itself":       func(s *client.Spec) { s.Until = time.Time{} },
		"longest time":         func(s *client.Spec) { s.MaxLatency = 0 },
		"must not be negative": func(s *client.Spec) { s.WritesPerSecond = -1 },
		"entry's URL":          func(s *client.Spec) { s.EntryURL = "nowhere" },
		"database write":       func(s *client.Spec) { s.DatabaseURL = "" },
		"write endpoint's URL": func(s *client.Spec) { s.DatabaseURL = "postgres://u:secret@h:port/d" },
		"client's requests":    func(s *client.Spec) { s.Path = "\x7f" },
		"making the file":      func(s *client.Spec) { s.Output = filepath.Join(s.Output, "no", "directory") },
		"file exists":          func(s *client.Spec) { require.NoError(t, os.WriteFile(s.Output, nil, 0o600)) },
	} {
		spec := whole()
		change(&spec)
		err := client.Run(t.Context(), spec)
		require.ErrorContains(t, err, message)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestTailToleratesAFileThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "samples")
	tail := client.NewTail(path)
	poll := func() []client.Sample {
		samples, err := tail.Poll()
		require.NoError(t, err)
		return samples
	}
	require.Empty(t, poll(), "there is no file yet")
	var content string
	want := []client.Sample{{Kind: client.KindRequest, Seq: 1, OK: true}, {Kind: client.KindMarker, Seq: 1, Error: "timeout"}}
	for _, sample := range want {
		line, err := json.Marshal(sample)
		require.NoError(t, err)
		content += string(line) + "\n"
	}
	var got []client.Sample
	for end := range len(content) + 1 {
		require.NoError(t, os.WriteFile(path, []byte(content[:end]), 0o600))
		got = append(got, poll()...)
		require.Len(t, got, strings.Count(content[:end], "\n"), "a sample is there once, when its line is whole")
	}
	require.Equal(t, want, got)
	require.NoError(t, os.WriteFile(path, []byte(content+"broken\n"), 0o600))
	_, err := tail.Poll()
	require.ErrorContains(t, err, "samples")
}

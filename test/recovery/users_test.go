package recovery

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// adminURL is a superuser's URL of a database server, or of the write endpoint.
func (s *stack) adminURL(address string) string {
	s.t.Helper()
	password, err := os.ReadFile(filepath.Join(s.DataDir, "local", "postgres", "secrets", "synapse_admin"))
	require.NoError(s.t, err)
	return fmt.Sprintf("postgres://synapse_admin:%s@%s/synapse?sslmode=disable&connect_timeout=1", password, address)
}

// query runs a statement through the write endpoint, and returns the numbers of its first column.
func (s *stack) query(statement string) []int64 {
	s.t.Helper()
	var numbers []int64
	s.await(statement, func(ctx context.Context) (bool, string) {
		conn, err := pgx.Connect(ctx, s.adminURL(s.DatabaseAddress))
		if err != nil {
			return false, err.Error()
		}
		defer conn.Close(ctx)
		rows, err := conn.Query(ctx, statement)
		if err != nil {
			return false, err.Error()
		}
		numbers, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err == nil, fmt.Sprint(err)
	})
	return numbers
}

// outage is the longest time that somebody went without a good answer.
type outage struct {
	mu       sync.Mutex
	last     time.Time
	longest  time.Duration
	answered int64
}

func (o *outage) good(at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answered++
	if at.Before(o.last) {
		return
	}
	if !o.last.IsZero() {
		o.longest = max(o.longest, at.Sub(o.last))
	}
	o.last = at
}

// longestSoFar is the longest time without a good answer since the last take.
func (o *outage) longestSoFar() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.longest
}

// take returns the longest outage since the last call.
func (o *outage) take() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	longest := o.longest
	o.longest, o.last = 0, time.Time{}
	return longest
}

// users send requests and write, with code of their own that knows nothing of drills.
type users struct {
	requests, writes outage
	// control is what the same browser sees of a server that nothing happens to: what it waits for there, the machine was busy.
	control outage
	mu      sync.Mutex
	acked   map[int64]bool
}

// use lets users work until the test ends: 200 requests and 50 writes a second.
func (s *stack) use() *users {
	s.t.Helper()
	s.query("CREATE TABLE IF NOT EXISTS public.independent (seq bigint PRIMARY KEY)")
	u := &users{acked: map[int64]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	s.t.Cleanup(func() { cancel(); working.Wait() })
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}
	browser := &http.Client{Transport: transport, Timeout: time.Second}
	unharmed := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.t.Cleanup(unharmed.Close)
	for url, seen := range map[string]*outage{s.EntryURL + "/auth/healthz": &u.requests, unharmed.URL: &u.control} {
		working.Go(func() {
			each(ctx, 5*time.Millisecond, &working, func(int64) { get(ctx, browser, url, seen) })
		})
	}
	url := s.adminURL(s.DatabaseAddress)
	writers := make(chan *pgx.Conn, 8)
	for range cap(writers) {
		writers <- nil
	}
	working.Go(func() {
		each(ctx, 20*time.Millisecond, &working, func(seq int64) {
			select {
			case conn := <-writers:
				writers <- u.write(ctx, conn, url, seq)
			default: // all are waiting for an answer
			}
		})
	})
	return u
}

// each calls do at each tick, without waiting for it.
func each(ctx context.Context, every time.Duration, working *sync.WaitGroup, do func(seq int64)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for seq := int64(1); ; seq++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			working.Go(func() { do(seq) })
		}
	}
}

func get(ctx context.Context, browser *http.Client, url string, seen *outage) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	response, err := browser.Do(request)
	if err != nil {
		return
	}
	_ = response.Body.Close()
	if response.StatusCode == http.StatusOK {
		seen.good(time.Now())
	}
}

// forget has what users saw begin anew.
func (u *users) forget() {
	u.requests.take()
	u.writes.take()
	u.control.take()
}

// sawOf returns how long users were without service because of a run's fault, and for how long they wait for an answer without one:
// the longest that they did before it, or that the control did up to the end of the outage.
func (u *users) sawOf(s *stack, name string) (outside, noise time.Duration) {
	s.t.Helper()
	s.awaitStep(name, synapse.DrillStepInjectFault)
	noise = max(u.requests.longestSoFar(), u.writes.longestSoFar())
	s.awaitStep(name, synapse.DrillStepHold)
	return max(u.requests.take(), u.writes.take()), max(noise, u.control.take())
}

// write writes once, and returns the connection to go on with.
func (u *users) write(ctx context.Context, conn *pgx.Conn, url string, seq int64) *pgx.Conn {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var err error
	if conn == nil {
		if conn, err = pgx.Connect(ctx, url); err != nil {
			return nil
		}
	}
	if _, err = conn.Exec(ctx, "INSERT INTO public.independent VALUES ($1)", seq); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil
	}
	u.writes.good(time.Now())
	u.mu.Lock()
	defer u.mu.Unlock()
	u.acked[seq] = true
	return conn
}

// lost counts the acknowledged writes that the database does not have.
func (u *users) lost(s *stack) int {
	s.t.Helper()
	u.mu.Lock()
	acked := make(map[int64]bool, len(u.acked))
	for seq := range u.acked {
		acked[seq] = true
	}
	u.mu.Unlock()
	for _, seq := range s.query("SELECT seq FROM public.independent") {
		delete(acked, seq)
	}
	return len(acked)
}

// pidsOf finds the gateway and the database server of a region among the daemon's children: to look through all processes of the
// machine again and again would take a processor of its own.
func (s *stack) pidsOf(region string) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.PID()))
	var found []int
	for _, list := range lists {
		children, _ := os.ReadFile(list) // a thread that has ended has none
		for child := range strings.FieldsSeq(string(children)) {
			line, _ := os.ReadFile("/proc/" + child + "/cmdline")
			text := strings.ReplaceAll(string(line), "\x00", " ")
			if !strings.Contains(text, "--region="+region+" ") && !strings.Contains(text, "/instances/"+region+"/data") {
				continue
			}
			if pid, err := strconv.Atoi(child); err == nil {
				found = append(found, pid)
			}
		}
	}
	return found
}

func benchRuns(t *testing.T, few int) int {
	t.Helper()
	runs := few
	if text := os.Getenv("SYNAPSE_DRILL_RUNS"); text != "" {
		_, err := fmt.Sscan(text, &runs)
		require.NoError(t, err)
	}
	return runs
}

package process_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

func itoa(n int) string { return strconv.Itoa(n) }

type clock struct {
	mu   sync.Mutex
	time time.Time
}

func newClock() *clock { return &clock{time: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

func TestBackOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stopAll(t, dir)
	clock := newClock()
	exits := make(chan string, 1)
	options := []process.Option{process.WithClock(clock.now), process.OnExit(func(id string) { exits <- id })}
	s := open(t, dir, options...)
	crashing := spec(t, dir, "one", "exit", "1")

	_, err := s.Ensure(t.Context(), crashing)
	require.NoError(t, err)
	for restarts, milliseconds := range []int{250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000} {
		wait := time.Duration(milliseconds) * time.Millisecond
		<-exits
		if restarts == 4 { // another daemon goes on counting
			require.NoError(t, s.Close())
			s = open(t, dir, options...)
		}
		p, err := s.Ensure(t.Context(), crashing)
		require.NoError(t, err)
		require.Equal(t, process.Exited, p.State, "restarted at once")
		require.Equal(t, restarts, p.Restarts)
		require.WithinDuration(t, clock.now().Add(wait), p.NextStart, 0)

		clock.advance(wait - time.Nanosecond)
		p, err = s.Ensure(t.Context(), crashing)
		require.NoError(t, err)
		require.Equal(t, process.Exited, p.State, "restarted too early")

		clock.advance(time.Nanosecond)
		p, err = s.Ensure(t.Context(), crashing)
		require.NoError(t, err)
		require.Equal(t, process.Running, p.State)
		require.Equal(t, restarts+1, p.Restarts)
	}
	<-exits

	clock.advance(time.Minute)
	stable, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
	require.NoError(t, err)
	require.Equal(t, 10, stable.Restarts)
	clock.advance(10 * time.Second)
	terminate(t, stable.PID)
	<-exits
	p, _ := s.Get("one")
	require.Zero(t, p.Restarts, "a stable run is a new beginning")
	require.WithinDuration(t, clock.now().Add(250*time.Millisecond), p.NextStart, 0)

	clock.advance(time.Minute)
	broken := crashing
	broken.Path = "/does/not/exist"
	p, err = s.Ensure(t.Context(), broken)
	require.Error(t, err)
	require.Equal(t, 1, p.Restarts)
	require.WithinDuration(t, clock.now().Add(500*time.Millisecond), p.NextStart, 0, "what can not be started is not tried all the time")
}

package netfault

import (
	"context"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

const (
	patience = 30 * time.Second
	// moment is how long nothing must happen for a test to believe that it does not.
	moment = 60 * time.Millisecond
)

// echo is a server that sends back what it gets.
func echo(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func connect(t testing.TB, link Link) *Conn {
	conn, err := link.Dial(t.Context(), echo(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// say sends a word and returns what comes back, when it does.
func say(conn *Conn, word string) <-chan error {
	answered := make(chan error, 1)
	go func() {
		if _, err := io.WriteString(conn, word); err != nil {
			answered <- err
			return
		}
		back := make([]byte, len(word))
		_, err := io.ReadFull(conn, back)
		if err == nil && string(back) != word {
			err = io.ErrNoProgress
		}
		answered <- err
	}()
	return answered
}

func await(t testing.TB, result <-chan error) error {
	select {
	case err := <-result:
		return err
	case <-time.After(patience):
		t.Fatal("it did not come")
		return nil
	}
}

func stalls(t testing.TB, result <-chan error) {
	select {
	case err := <-result:
		t.Fatalf("it came through: %v", err)
	case <-time.After(moment):
	}
}

func TestABlackHole(t *testing.T) {
	t.Parallel()
	hole := func(end time.Duration) []runtime.Fault {
		return []runtime.Fault{fault(runtime.FaultIsolation, "eu", runtime.FaultBlackHole, time.Now().Add(end))}
	}
	t.Run("stalls an open connection, which goes on when the fault has ended by itself", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		conn := connect(t, Link{Table: table, Path: Path{Outside, "eu"}})
		require.NoError(t, await(t, say(conn, "before")))
		faults := hole(3 * moment)
		table.Set(faults)
		answer := say(conn, "during")
		stalls(t, answer)
		require.NoError(t, await(t, answer), "nothing was lost")
		require.False(t, time.Now().Before(faults[0].Until), "not a moment before its end")
	})
	t.Run("holds back an answer that was asked for before", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		conn := connect(t, Link{Table: table, Path: Path{Outside, "eu"}})
		answer := make(chan error, 1)
		go func() {
			_, err := io.ReadFull(conn, make([]byte, 4))
			answer <- err
		}()
		table.Set(hole(time.Hour))
		_, err := io.WriteString(conn.Conn, "late") // past the fault, as if it had been on its way
		require.NoError(t, err)
		stalls(t, answer)
		table.Set(nil)
		require.NoError(t, await(t, answer))
	})
	t.Run("makes a connection wait no longer than until it is closed", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		conn := connect(t, Link{Table: table, Path: Path{Outside, "eu"}})
		table.Set(hole(time.Hour))
		answer := say(conn, "never")
		stalls(t, answer)
		require.NoError(t, conn.Close())
		require.ErrorIs(t, await(t, answer), net.ErrClosed)
	})
	t.Run("makes a connection fail that gives up", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		conn := connect(t, Link{Table: table, Path: Path{Outside, "eu"}, GiveUp: moment})
		table.Set(hole(time.Hour))
		require.ErrorIs(t, await(t, say(conn, "never")), syscall.ETIMEDOUT)
	})
	t.Run("makes dialling hang until its time is over", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		table.Set(hole(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), moment)
		defer cancel()
		_, err := Link{Table: table, Path: Path{Outside, "eu"}}.Dial(ctx, echo(t))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "isolation of region eu")
	})
	t.Run("lets dialling succeed when the fault ends first", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		table.Set(hole(moment))
		require.NoError(t, await(t, say(connect(t, Link{Table: table, Path: Path{Outside, "eu"}}), "after")))
	})
	t.Run("leaves other ways alone", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		table.Set(hole(time.Hour))
		require.NoError(t, await(t, say(connect(t, Link{Table: table, Path: Path{Outside, "us"}}), "hello")))
	})
}

func TestARefusal(t *testing.T) {
	t.Parallel()
	refusal := []runtime.Fault{fault(runtime.FaultIsolation, "eu", runtime.FaultRefuse, time.Now().Add(time.Hour))}
	t.Run("closes open connections at once, also those that nobody uses", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		cut, other := connect(t, Link{Table: table, Path: Path{Outside, "eu"}}), connect(t, Link{Table: table, Path: Path{Outside, "us"}})
		reading := make(chan error, 1)
		go func() {
			_, err := cut.Read(make([]byte, 1))
			reading <- err
		}()
		table.Set(refusal)
		require.Error(t, await(t, reading))
		<-cut.Done()
		require.NoError(t, await(t, say(other, "hello")))
		require.Len(t, table.conns, 1, "a closed connection is forgotten")
	})
	t.Run("makes dialling fail at once, as a closed port does", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		table.Set(refusal)
		_, err := Link{Table: table, Path: Path{Outside, "eu"}}.Dial(t.Context(), echo(t))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	})
	t.Run("concerns a connection as soon as it is known to come from the region", func(t *testing.T) {
		t.Parallel()
		table := NewTable(time.Now)
		table.Set(refusal)
		conn := connect(t, Link{Table: table, Path: Path{Outside, "us"}})
		require.NoError(t, await(t, say(conn, "hello")))
		require.Error(t, conn.SetPath(Path{"eu", Outside, "us"}))
		require.ErrorIs(t, await(t, say(conn, "more")), syscall.ECONNRESET)
	})
}

func TestWithoutFaultsAConnectionCostsNoMemory(t *testing.T) {
	conn := connect(t, Link{Table: NewTable(time.Now), Path: Path{Outside, "eu"}})
	word := []byte("word")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := conn.Write(word); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(conn, word); err != nil {
			t.Error(err)
		}
	}))
}

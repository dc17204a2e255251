package pgproxy

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

// serve runs a proxy until the test ends, and checks that it then ends in full.
func serve(t *testing.T) (*Proxy, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	proxy := New(slog.New(slog.DiscardHandler), netfault.NewTable(time.Now))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- proxy.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
			require.Zero(t, proxy.Connections())
		case <-time.After(10 * time.Second):
			t.Error("the proxy did not end")
		}
	})
	return proxy, listener.Addr().String()
}

// echo is a server that sends back what it gets, and ends when its client does.
func echo(t *testing.T, greeting string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.WriteString(connection, greeting)
				_, _ = io.Copy(connection, connection)
				_, _ = io.WriteString(connection, "bye")
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, address string) *net.TCPConn {
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	require.NoError(t, connection.SetDeadline(time.Now().Add(10*time.Second)))
	return connection.(*net.TCPConn)
}

func read(t *testing.T, from io.Reader, n int) string {
	content := make([]byte, n)
	_, err := io.ReadFull(from, content)
	require.NoError(t, err)
	return string(content)
}

func TestProxy(t *testing.T) {
	t.Parallel()
	t.Run("the end of what the client sends is passed on, and the rest of the answer comes back", func(t *testing.T) {
		t.Parallel()
		proxy, address := serve(t)
		proxy.SetPrimary(Primary{Address: echo(t, "")})
		client := dial(t, address)
		_, err := io.WriteString(client, "hello")
		require.NoError(t, err)
		require.NoError(t, client.CloseWrite())
		content, err := io.ReadAll(client)
		require.NoError(t, err)
		require.Equal(t, "hellobye", string(content))
		require.NoError(t, client.Close())
		require.Eventually(t, func() bool { return proxy.Connections() == 0 }, 30*time.Second, 5*time.Millisecond)
	})
	t.Run("a change of the primary ends connections to the old one and leads new ones to the new", func(t *testing.T) {
		t.Parallel()
		proxy, address := serve(t)
		proxy.SetPrimary(Primary{Address: echo(t, "one")})
		client := dial(t, address)
		require.Equal(t, "one", read(t, client, 3))
		proxy.SetPrimary(Primary{Address: echo(t, "two")})
		_, err := client.Read(make([]byte, 1))
		require.Error(t, err)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, "two", read(t, dial(t, address), 3))
	})
	t.Run("the same primary again leaves connections alone", func(t *testing.T) {
		t.Parallel()
		proxy, address := serve(t)
		primary := echo(t, "one")
		proxy.SetPrimary(Primary{Address: primary})
		client := dial(t, address)
		require.Equal(t, "one", read(t, client, 3))
		proxy.SetPrimary(Primary{Address: primary})
		_, err := io.WriteString(client, "still")
		require.NoError(t, err)
		require.Equal(t, "still", read(t, client, 5))
	})
	t.Run("the end of the proxy ends connections", func(t *testing.T) {
		t.Parallel()
		proxy, address := serve(t) // its clean-up checks that Serve returns while this connection is open
		proxy.SetPrimary(Primary{Address: echo(t, "one")})
		require.Equal(t, "one", read(t, dial(t, address), 3))
	})
}

func TestWithoutAPrimaryClientsAreToldSo(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	down, downAddress := serve(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	down.SetPrimary(Primary{Address: listener.Addr().String()})
	require.NoError(t, listener.Close())

	for _, test := range []struct{ name, address, mode string }{
		{"when there is none", address, "disable"},
		{"when there is none and the client would like TLS", address, "prefer"},
		{"when it cannot be reached", downAddress, "disable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := pgx.Connect(t.Context(), "postgres://someone@"+test.address+"/db?sslmode="+test.mode)
			refusal := new(pgconn.PgError)
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, "57P03", refusal.Code)
			require.Equal(t, "FATAL", refusal.Severity)
			require.Contains(t, refusal.Message, "no primary database")
		})
	}
	t.Run("a client that insists on TLS is declined", func(t *testing.T) {
		_, err := pgx.Connect(t.Context(), "postgres://someone@"+address+"/db?sslmode=require")
		require.ErrorContains(t, err, "refused TLS")
	})
	t.Run("requests for encryption without end are cut off", func(t *testing.T) {
		client := dial(t, address)
		for range 3 {
			_, err := client.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47})
			require.NoError(t, err)
			require.Equal(t, "N", read(t, client, 1))
		}
		_, err := client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})
}

func TestPostgreSQLThroughTheProxy(t *testing.T) {
	t.Parallel()
	target, err := url.Parse(pgservertest.Start(t))
	require.NoError(t, err)
	proxy, address := serve(t)
	proxy.SetPrimary(Primary{Address: target.Host})
	target.Host = address

	ctx := t.Context()
	connection, err := pgx.Connect(ctx, target.String())
	require.NoError(t, err)
	defer connection.Close(context.Background())

	t.Run("queries work", func(t *testing.T) {
		var sum int
		require.NoError(t, connection.QueryRow(ctx, "select sum(n) from generate_series(1, 100000) n").Scan(&sum))
		require.Equal(t, 5000050000, sum)
	})
	t.Run("a cancel request, which comes on a connection of its own, reaches the query", func(t *testing.T) {
		started := make(chan struct{})
		failed := make(chan error, 1)
		go func() {
			close(started)
			_, err := connection.Exec(ctx, "select pg_sleep(60)")
			failed <- err
		}()
		<-started
		var err error
		require.Eventually(t, func() bool {
			_ = connection.PgConn().CancelRequest(ctx) // before the query runs it does nothing
			select {
			case err = <-failed:
				return true
			default:
				return false
			}
		}, 20*time.Second, 50*time.Millisecond)
		refusal := new(pgconn.PgError)
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, "57014", refusal.Code)
	})
	t.Run("connections end when the primary goes", func(t *testing.T) {
		require.NoError(t, connection.Ping(ctx))
		proxy.SetPrimary(Primary{Address: ""})
		require.Error(t, connection.Ping(ctx))
	})
}

// stream is a client that sends what it is given and keeps what it gets.
type stream struct {
	io.Reader
	bytes.Buffer
}

func (s *stream) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// FuzzStartup checks that whatever a client sends first, it gets declines, then at most one error, and nothing else.
func FuzzStartup(f *testing.F) {
	ssl := []byte{0, 0, 0, 8, 4, 210, 22, 47}
	startup := append([]byte{0, 0, 0, 16, 0, 3, 0, 0}, "user\x00a\x00\x00"...)
	f.Add(startup)
	f.Add(append(bytes.Clone(ssl), startup...))
	f.Add([]byte{0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2})
	f.Add([]byte{22, 3, 1, 0, 0xff})
	f.Fuzz(func(t *testing.T, sent []byte) {
		client := &stream{Reader: bytes.NewReader(sent)}
		_ = refuseOn(client, "no primary database")
		rest := bytes.TrimLeft(client.Bytes(), "N")
		require.LessOrEqual(t, client.Len()-len(rest), maxNegotiations+1)
		if len(rest) > 0 {
			require.Equal(t, byte('E'), rest[0])
			require.Contains(t, string(rest), cannotConnectNow)
		}
	})
}

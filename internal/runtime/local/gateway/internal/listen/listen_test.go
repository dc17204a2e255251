package listen

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTCP(t *testing.T) {
	t.Parallel()
	taken, err := TCP(t.Context(), "127.0.0.1:0", "a test")
	require.NoError(t, err)
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)

	for _, test := range []struct{ name, address, fault string }{
		{"a port in use is named, with what to do", "127.0.0.1:" + port, "listen for a test: port " + port + " of 127.0.0.1 is in use: stop the process that holds it or choose another port"},
		{"all interfaces are refused", "0.0.0.0:0", "not a loopback address"},
		{"no host is refused", ":0", "not a loopback address"},
		{"no port is refused", "127.0.0.1", "not host:port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := TCP(t.Context(), test.address, "a test")
			require.ErrorContains(t, err, test.fault)
		})
	}
}

func TestStoppingLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	listener, err := TCP(t.Context(), "127.0.0.1:0", "a test")
	require.NoError(t, err)
	arrived, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-finish
		_, _ = io.WriteString(w, "finished")
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, handler, slog.New(slog.DiscardHandler)) }()

	connection, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer connection.Close()
	_, err = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-arrived
	cancel()
	awaitRefusal(t, listener.Addr().String())
	close(finish)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "finished", string(content))
	require.NoError(t, <-ended)
}

// awaitRefusal waits until an address accepts no new connection.
func awaitRefusal(t testing.TB, address string) {
	require.Eventually(t, func() bool {
		other, err := net.Dial("tcp", address)
		if err == nil {
			_ = other.Close()
		}
		return err != nil
	}, 30*time.Second, 5*time.Millisecond, "no new connection is accepted")
}

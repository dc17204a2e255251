package api

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// trickle opens a connection and sends a request with the beginning of its body. The rest never comes.
func trickle(t testing.TB, server *httptest.Server) net.Conn {
	client, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	_, err = io.WriteString(client, "POST /console/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ntoken=")
	require.NoError(t, err)
	require.NoError(t, client.SetReadDeadline(time.Now().Add(10*time.Second)))
	return client
}

func TestABodyThatNeverComesEndsTheRequest(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	for name, handler := range map[string]http.HandlerFunc{
		"whose handler reads it": func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			read <- err
		},
		"whose handler does not": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(limitBodies(handler, 50*time.Millisecond, bodyRate))
			t.Cleanup(server.Close)
			_, err := io.ReadAll(trickle(t, server))
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server hangs up")
		})
	}
	require.ErrorIs(t, <-read, os.ErrDeadlineExceeded)
}

func TestABodyThatHasComeLeavesTheAnswerAllItsTime(t *testing.T) {
	t.Parallel()
	const limit = 20 * time.Millisecond
	cut := errors.New("the request was cancelled")
	server := httptest.NewServer(limitBodies(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			err = cut
		case <-time.After(10 * limit):
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}), limit, bodyRate))
	t.Cleanup(server.Close)
	for range 2 { // on the same connection
		response, err := server.Client().Post(server.URL, "text/plain", strings.NewReader("all"))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
}

func TestABodyThatKeepsComingHasMoreTime(t *testing.T) {
	t.Parallel()
	const size, limit = 8, 200 * time.Millisecond
	answers := make(chan error, 1)
	server := httptest.NewServer(limitBodies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		answers <- err
	}), limit, 1)) // each byte is worth a second
	t.Cleanup(server.Close)
	client, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	_, err = io.WriteString(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n")
	require.NoError(t, err)
	ticker := time.NewTicker(limit / 4)
	defer ticker.Stop()
	for range size {
		<-ticker.C
		_, err = client.Write([]byte("x"))
		require.NoError(t, err)
	}
	require.NoError(t, <-answers)
	_, err = http.ReadResponse(bufio.NewReader(client), nil)
	require.NoError(t, err)
}

package upstream

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// parrot answers each request without a body with the same bytes, and allocates nothing for it.
func parrot(t testing.TB, answer []byte) *server {
	t.Helper()
	return newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
		for {
			line, err := reader.ReadSlice('\n')
			if err != nil {
				return
			}
			if !bytes.Equal(line, []byte("\r\n")) {
				continue
			}
			if _, err := connection.Write(answer); err != nil {
				return
			}
		}
	})
}

var usualAnswer = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Tue, 01 Dec 2026 03:00:00 GMT\r\n" +
	"Cache-Control: no-store\r\nContent-Length: 2\r\n\r\nok")

// ours returns a function that asks as a gateway does, which uses the memory of headers again.
func ours(t testing.TB, address string) func() {
	p := NewPool(Options{
		Address: address, DialTimeout: patience, IdleTimeout: time.Minute, FreshFor: time.Minute, MaxIdle: 1, MaxHeadBytes: 8 << 10, Now: time.Now,
	})
	t.Cleanup(p.CloseIdle)
	target, header, answerHeader, buffer := get().URL, http.Header{"Accept": {"*/*"}}, make(http.Header), make([]byte, 64)
	var waits Waiter = newWaiter(patience)
	return func() {
		request := &Request{Method: http.MethodGet, Host: "example.com", URL: target, Header: header, AnswerHeader: answerHeader, Waiter: waits}
		response, err := p.Do(t.Context(), request)
		require.NoError(t, err)
		readAll(t, response, buffer)
	}
}

// transport returns a function that asks the same by net/http.
func transport(t testing.TB, address string) func() {
	client := &http.Transport{DisableCompression: true}
	t.Cleanup(client.CloseIdleConnections)
	target, header, buffer := &url.URL{Scheme: "http", Host: address, Path: "/"}, http.Header{"Accept": {"*/*"}}, make([]byte, 64)
	return func() {
		request := (&http.Request{Method: http.MethodGet, Host: "example.com", URL: target, Header: header}).WithContext(t.Context())
		response, err := client.RoundTrip(request)
		require.NoError(t, err)
		readAll(t, response, buffer)
	}
}

func readAll(t testing.TB, response *http.Response, buffer []byte) {
	for {
		if _, err := response.Body.Read(buffer); err != nil {
			require.Equal(t, io.EOF, err)
			break
		}
	}
	require.NoError(t, response.Body.Close())
}

// TestARequestCostsAThirdOfTheAllocationsOfNetHTTP holds on to what the client was written for. Time says nothing on a machine that is
// busy; allocations, of the same request by both at one moment, do.
func TestARequestCostsAThirdOfTheAllocationsOfNetHTTP(t *testing.T) { // not in parallel: those of all goroutines are counted
	address := parrot(t, usualAnswer).address
	mine, reference := testing.AllocsPerRun(500, ours(t, address)), testing.AllocsPerRun(500, transport(t, address))
	t.Logf("%.0f allocations, net/http %.0f", mine, reference)
	require.LessOrEqual(t, mine, reference/3)
}

func BenchmarkRequest(b *testing.B) {
	address := parrot(b, usualAnswer).address
	for name, ask := range map[string]func(){"ours": ours(b, address), "net/http": transport(b, address)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}

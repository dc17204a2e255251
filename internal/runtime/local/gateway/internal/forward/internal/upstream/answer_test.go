package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, bytes string
		status              int
		content             string
		trailer             http.Header
		kept                bool // whether the connection can be used again
	}{
		{"a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", nil, true},
		{"a length of nothing", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", nil, true},
		{"the same length twice", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", nil, true},
		{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", 200, "hello", nil, true},
		{
			"chunks with a trailer", "GET",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhe\r\n0\r\nX-Sum: 7\r\n\r\n",
			200, "he", http.Header{"X-Sum": {"7"}}, true,
		},
		{"lines that end with a line feed only", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", nil, true},
		{"no reason", "GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, true},
		{"a connection that the server closes", "GET", "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, false},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, false},
		{"more than the length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and HTTP/1.1 200 OK", 200, "ok", nil, false},
		{"the answer to HEAD has no body, whatever its length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, "", nil, true},
		{"204 has no body", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", nil, true},
		{"304 has no body, whatever its length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304, "", nil, true},
		{"interim answers come before the answer", "GET", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := answering(t, test.bytes)
			p := newPool(t, s.address)
			request := get()
			request.Method = test.method
			response, content, err := ask(t, p, request)
			require.NoError(t, err)
			require.Equal(t, test.status, response.StatusCode)
			require.Equal(t, test.content, content)
			require.Equal(t, test.trailer, response.Trailer)
			require.Equal(t, test.kept, p.idleCount() == 1)
			if test.kept {
				_, again, err := ask(t, p, request)
				require.NoError(t, err)
				require.Equal(t, test.content, again)
				require.EqualValues(t, 1, s.connections.Load())
			}
		})
	}
}

func TestInterimAnswersArePassedOn(t *testing.T) {
	t.Parallel()
	s := answering(t, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
	request := get()
	var interim []int
	request.Interim = func(status int, header http.Header) {
		interim = append(interim, status)
		require.Equal(t, http.Header{"Link": {"</x>"}}, header)
	}
	response, _, err := ask(t, newPool(t, s.address), request)
	require.NoError(t, err)
	require.Empty(t, response.Header, "what an interim answer says is not of the final one")
	require.Equal(t, []int{103}, interim)
}

func TestAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, bytes, want string }{
		{"both framings", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "two lengths"},
		{"two lengths in one", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", "not a number"},
		{"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "not a number"},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "not a number"},
		{"a length beyond all", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello", "not a number"},
		{"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "not supported"},
		{"chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "not supported"},
		{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.0"},
		{"a header that goes on", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "not a header field"},
		{"a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", "not a header field"},
		{"a header without a name", "HTTP/1.1 200 OK\r\n: 5\r\n\r\n", "not a header field"},
		{"a carriage return in a value", "HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n", "control character"},
		{"a NUL in a value", "HTTP/1.1 200 OK\r\nX: a\x00\r\n\r\n", "control character"},
		{"no status", "HTTP/1.1 OK\r\n\r\n", "status"},
		{"a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "status"},
		{"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "status"},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "status line"},
		{"another protocol that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "did not ask"},
		{"a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 9<<10), "too long"},
		{"many headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 2<<10) + "\r\n", "too long"},
		{"interim answers without end", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 400), "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, answering(t, test.bytes).address)
			_, _, err := ask(t, p, get())
			require.ErrorContains(t, err, test.want)
			require.Zero(t, p.idleCount())
		})
	}
}

func TestAnswersThatBreakOff(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]string{
		"in the status line": "HTTP/1.1 20",
		"in the head":        "HTTP/1.1 200 OK\r\nX: y",
		"in the body":        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
		"in a chunk":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"between chunks":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"before the trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
		"in the trailer":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
				_, _ = http.ReadRequest(reader)
				_, _ = io.WriteString(connection, bytes)
			})
			p := newPool(t, s.address)
			_, _, err := ask(t, p, get())
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.Zero(t, p.idleCount())
		})
	}
	t.Run("the end of an answer without length is its end", func(t *testing.T) {
		s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
			_, _ = http.ReadRequest(reader)
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\n\r\nhello")
		})
		_, content, err := ask(t, newPool(t, s.address), get())
		require.NoError(t, err)
		require.Equal(t, "hello", content)
	})
}

// FuzzParseHead checks that what is accepted means the same to net/http.
func FuzzParseHead(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.0 404\nX:y\nx: z\n\n", "HTTP/1.1 200 \r\nA: \t b \t\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nX: y\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, head string) {
		c := conn{pool: &Pool{options: Options{}}, reader: bufio.NewReaderSize(strings.NewReader(head), 16)}
		budget := 64 << 10
		head, err := c.readHeadBytes(&budget)
		if err != nil {
			return
		}
		got, err := parseHead(head, nil)
		if err != nil {
			return
		}
		for name, values := range got.Header {
			require.True(t, isToken(name))
			for _, value := range values {
				require.NotContains(t, value, "\r")
				require.NotContains(t, value, "\n")
			}
		}
		if got.Header["Content-Length"] != nil || got.Header["Transfer-Encoding"] != nil {
			return // net/http judges them here, and removes some
		}
		want, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head)), nil)
		require.NoError(t, err, "%q", head)
		require.Equal(t, want.StatusCode, got.StatusCode)
		want.Header.Del("Cache-Control") // net/http derives it from Pragma
		got.Header.Del("Cache-Control")
		if len(want.Trailer) == 0 {
			require.Equal(t, want.Header, got.Header, "%q", head)
		}
	})
}

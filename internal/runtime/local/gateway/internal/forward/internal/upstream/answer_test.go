package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
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
		{"204 with a length, whose body may come late", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", nil, false},
		{"204 in chunks, whose end may come late", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, "", nil, false},
		{"304 has no body, whatever its length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304, "", nil, true},
		{"chunked in two headers", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", nil, false},
		{"chunked twice in one header", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", nil, false},
		{"chunks win over a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", nil, false},
		{"a header that goes on in the next lines", "GET", "HTTP/1.1 200 OK\r\nX-Folded: a \r\n \tb\r\n c\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, true},
		{"a space before a colon", "GET", "HTTP/1.1 200 OK\r\nX-Spaced : a\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, true},
		{"Latin-1", "GET", "HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, true},
		{"a status that nobody knows", "GET", "HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nok", 799, "ok", nil, true},
		{"HTTP/1.0 that would be kept", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, "ok", nil, false},
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

func TestAFoldedHeaderBecomesOneLine(t *testing.T) {
	t.Parallel()
	s := answering(t, "HTTP/1.1 200 OK\r\nX-Folded: a \r\n \tb\r\n  c \r\nX-Spaced \t: d\r\nX-Latin: caf\xe9\r\nContent-Length: 0\r\n\r\n")
	response, _, err := ask(t, newPool(t, s.address), get())
	require.NoError(t, err)
	require.Equal(t, "a b c", response.Header.Get("X-Folded"))
	require.Equal(t, "d", response.Header.Get("X-Spaced"))
	require.Equal(t, "caf\xe9", response.Header.Get("X-Latin"))
}

func TestALengthThatChunksOverrideIsNotPassedOn(t *testing.T) {
	t.Parallel()
	s := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
	response, content, err := ask(t, newPool(t, s.address), get())
	require.NoError(t, err)
	require.Equal(t, "ok", content)
	require.NotContains(t, response.Header, "Content-Length")
}

func TestAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, bytes, want string }{
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "two lengths"},
		{"two lengths in one", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", "not a number"},
		{"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "not a number"},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "not a number"},
		{"a length beyond all", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello", "not a number"},
		{"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "not supported"},
		{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.0"},
		{"a first header that goes on with nothing", "HTTP/1.1 200 OK\r\n b: c\r\n\r\n", "not a header field"},
		{"a space before the colon of a length", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", "before its colon"},
		{"a space before the colon of a coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", "before its colon"},
		{"a space in a name", "HTTP/1.1 200 OK\r\nX Y: 5\r\n\r\nhello", "not a header field"},
		{"a length that goes on", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\nhello", "not a number"},
		{"a coding that goes on", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n chunked\r\n\r\n0\r\n\r\n", "not supported"},
		{"a wrong length beside chunks", "HTTP/1.1 200 OK\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "not a number"},
		{"a trailer that announces a length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n", "announces"},
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
			require.Contains(t, []fault.Reason{fault.MalformedResponse, fault.ResponseTooLarge, fault.UnexpectedUpgrade}, fault.Of(err))
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

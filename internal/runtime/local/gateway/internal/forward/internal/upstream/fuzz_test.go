package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// canned is a connection on which a server has sent its answer already, and closed.
type canned struct {
	net.Conn // nil: what is not here is not called
	answer   io.Reader
}

func (c *canned) Read(p []byte) (int, error)       { return c.answer.Read(p) }
func (c *canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c *canned) Close() error                     { return nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// unknown is a socket about which the system says nothing.
type unknown struct{}

var errUnknown = errors.New("no socket")

func (unknown) Control(func(uintptr)) error    { return errUnknown }
func (unknown) Read(func(uintptr) bool) error  { return errUnknown }
func (unknown) Write(func(uintptr) bool) error { return errUnknown }

var _ syscall.RawConn = unknown{}

// reading is what was read of an answer.
type reading struct {
	Status  int
	Header  http.Header
	Content string
	Trailer http.Header
	Broken  bool // the body has no end
	Rest    int  // bytes behind the answer; -1 when the end of the connection is the end of the answer
}

// readOurs reads an answer as a proxy would. refused is why it becomes a 502.
func readOurs(t *testing.T, method, answer string) (got reading, kept bool, refused error) {
	pool := NewPool(Options{MaxHeadBytes: 64 << 10, MaxIdle: 1, IdleTimeout: time.Hour, Now: time.Now})
	defer pool.CloseIdle()
	c := newConn(pool, &canned{answer: strings.NewReader(answer)}, unknown{})
	request := get()
	request.Method = method
	response, err := c.ask(t.Context(), request)
	if err != nil {
		return got, false, err
	}
	content, err := io.ReadAll(response.Body)
	got = reading{Status: response.StatusCode, Header: response.Header, Content: string(content), Trailer: response.Trailer, Broken: err != nil}
	body, ok := response.Body.(*Body)
	require.True(t, ok)
	require.NoError(t, response.Body.Close())
	kept = pool.idleCount() == 1
	if got.Rest = -1; body.framing != framedByClose {
		rest, _ := io.ReadAll(c.reader)
		got.Rest = len(rest)
	}
	require.False(t, kept && (got.Broken || got.Rest < 0), "what is behind an answer is taken for the next one")
	return got, kept, nil
}

// readTheirs reads an answer with net/http, interim ones before it included.
func readTheirs(method, answer string) (got reading, err error) {
	reader := bufio.NewReader(strings.NewReader(answer))
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return got, err
		}
		if response.StatusCode >= 100 && response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		content, err := io.ReadAll(response.Body)
		got = reading{Status: response.StatusCode, Header: response.Header, Content: string(content), Trailer: response.Trailer, Broken: err != nil, Rest: -1}
		if bodiless(method, response.StatusCode) || response.ContentLength >= 0 || len(response.TransferEncoding) > 0 {
			rest, _ := io.ReadAll(reader)
			got.Rest = len(rest)
		}
		return got, nil
	}
}

func bodiless(method string, status int) bool {
	return method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

// alike makes the two readings comparable. What it changes are the differences that are meant, beside those of lenient.
func alike(r *reading) {
	r.Header = r.Header.Clone()
	for _, name := range []string{
		"Transfer-Encoding", "Trailer", "Connection", // net/http takes what it has understood out; ours is left to removal as a header of one hop
		"Content-Length", // the same: what was read says more than what was announced
		"Cache-Control",  // net/http derives it from Pragma
	} {
		r.Header.Del(name)
	}
	for name, values := range r.Trailer {
		if values == nil { // announced, and has not come
			delete(r.Trailer, name)
		}
	}
	if len(r.Trailer) == 0 {
		r.Trailer = nil
	}
	if r.Broken { // net/http may have read more or less of what does not count
		r.Content, r.Trailer, r.Rest = "", nil, 0
	}
}

// lenient reports whether an answer is one that net/http refuses and that ours reads on purpose: chunked that is said more than once,
// which servers apply once. The connection must not be kept then.
func lenient(theirs error) bool {
	return strings.Contains(fmt.Sprint(theirs), "transfer encoding") // "too many" of them, or "unsupported": chunked, chunked
}

// spaced reports whether a name has a space before its colon, which net/http keeps as a part of the name and RFC 9112, 5.1 has a
// proxy remove.
func spaced(header http.Header) bool {
	for name := range header {
		if strings.ContainsAny(name, " \t") {
			return true
		}
	}
	return false
}

// FuzzAnswer checks that an answer is refused, or read in the very sense in which net/http reads it: the same status, headers, body,
// trailer and end.
func FuzzAnswer(f *testing.F) {
	for _, answer := range answerSeeds {
		f.Add(false, []byte(answer))
		f.Add(true, []byte(answer))
	}
	f.Fuzz(func(t *testing.T, head bool, answer []byte) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		got, kept, refused := readOurs(t, method, string(answer))
		if refused != nil {
			return
		}
		for name, values := range got.Header {
			require.True(t, isToken(name), "%q", name)
			for _, value := range values {
				require.False(t, strings.ContainsAny(value, "\r\n\x00"), "%q", value)
			}
		}
		want, err := readTheirs(method, string(answer))
		if err != nil {
			require.True(t, lenient(err), "net/http refuses %q: %v", answer, err)
			require.False(t, kept)
			return
		}
		if spaced(want.Header) {
			return
		}
		if got.Broken && !want.Broken { // a trailer whose lines end with a line feed alone, which net/http takes at times
			require.Less(t, strings.Count(string(answer), "\r\n"), strings.Count(string(answer), "\n"), "%q", answer)
			return
		}
		alike(&got)
		alike(&want)
		require.Equal(t, want, got, "%q", answer)
	})
}

var answerSeeds = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 404\nX:y\nx: z\n\nbody", "HTTP/1.1 200 \r\nA: \t b \t\r\n\r\nx",
	"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2;a=b\r\nhe\r\n0\r\nX-Sum: 7\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nhe\r\n0\r\n\r\nrest",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
	"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nPRI", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
	"HTTP/1.1 200 OK\r\nX Y: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nX: caf\xe9\x00\r\n\r\n", "HTTP/1.1 799 Odd\r\nContent-Length: +1\r\n\r\nx",
	"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokx\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\nPragma: no-cache\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTrailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
}

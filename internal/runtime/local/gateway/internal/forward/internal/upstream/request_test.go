package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequestHeads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		request *Request
		want    string
	}{
		{"as little as possible", get(), "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"},
		{"an escaped path and a query as they came", &Request{
			Method: "GET", Host: "a", URL: &url.URL{Path: "/a/b", RawPath: "/a%2Fb", RawQuery: "x=1;y=%zz"},
		}, "GET /a%2Fb?x=1;y=%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"a question mark without query", &Request{Method: "GET", Host: "a", URL: &url.URL{Path: "/", ForceQuery: true}}, "GET /? HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"an empty path", &Request{Method: "GET", Host: "a", URL: &url.URL{}}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"all of the server", &Request{Method: "OPTIONS", Host: "a", URL: &url.URL{Path: "*"}}, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"a POST of nothing says so", &Request{Method: "POST", Host: "a", URL: &url.URL{Path: "/"}}, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
		{"a length of its own in place of the header's", &Request{
			Method: "POST", Host: "a", URL: &url.URL{Path: "/"}, Length: 3, Header: http.Header{"Content-Length": {"7"}, "Host": {"b"}},
		}, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"},
		{"headers of one hop stay behind", &Request{Method: "GET", Host: "a", URL: &url.URL{Path: "/"}, Header: http.Header{
			"Connection": {"x"}, "Proxy-Connection": {"x"}, "Keep-Alive": {"x"}, "Proxy-Authenticate": {"x"}, "Proxy-Authorization": {"x"},
			"Te": {"x"}, "Trailer": {"x"}, "Transfer-Encoding": {"x"}, "Upgrade": {"x"},
		}}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"a value cannot add a header", &Request{
			Method: "GET", Host: "a\r\nX: b", URL: &url.URL{Path: "/"}, Header: http.Header{"Y": {"c\nZ: d"}},
		}, "GET / HTTP/1.1\r\nHost: a  X: b\r\nY: c Z: d\r\n\r\n"},
		{"an upgrade", &Request{Method: "GET", Host: "a", URL: &url.URL{Path: "/"}, Upgrade: "echo"}, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"},
		{"trailers are welcome", &Request{Method: "GET", Host: "a", URL: &url.URL{Path: "/"}, AcceptTrailers: true}, "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n"},
		{"chunks with a trailer", &Request{
			Method: "PUT", Host: "a", URL: &url.URL{Path: "/"}, Length: -1, TrailerNames: []string{"X-Sum"},
		}, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, string(test.request.appendHead(nil)))
		})
	}
}

func TestRequestBodies(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 20_000)
	got := make(chan *http.Request, 1)
	s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
		for {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			content, err := io.ReadAll(request.Body)
			if err != nil {
				return
			}
			request.Body = io.NopCloser(strings.NewReader(string(content)))
			got <- request
			_, _ = io.WriteString(connection, okAnswer)
		}
	})
	for _, test := range []struct {
		name    string
		request *Request
		want    string
		trailer http.Header
	}{
		{"in memory", &Request{Method: "POST", Length: 5, Content: []byte("hello")}, "hello", nil},
		{"of known length", &Request{Method: "POST", Length: int64(len(long)), Body: strings.NewReader(long)}, long, nil},
		{"of unknown length", &Request{Method: "POST", Length: -1, Body: strings.NewReader(long)}, long, nil},
		{"with a trailer", &Request{
			Method: "POST", Length: -1, Body: strings.NewReader("hello"), TrailerNames: []string{"X-Sum"},
			Trailer: func() http.Header { return http.Header{"X-Sum": {"7"}} },
		}, "hello", http.Header{"X-Sum": {"7"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.request.Host, test.request.URL = "a", &url.URL{Path: "/"}
			p := newPool(t, s.address)
			_, content, err := ask(t, p, test.request)
			require.NoError(t, err)
			require.Equal(t, "ok", content)
			request := <-got
			body, err := io.ReadAll(request.Body)
			require.NoError(t, err)
			require.Equal(t, test.want, string(body))
			require.Equal(t, test.trailer, request.Trailer)
			require.Equal(t, test.request.Body != nil, test.request.Touched())
		})
	}
	t.Run("that ends too early is the client's fault", func(t *testing.T) {
		request := &Request{Method: "POST", Host: "a", URL: &url.URL{Path: "/"}, Length: 5, Body: strings.NewReader("hell")}
		_, _, err := ask(t, newPool(t, s.address), request)
		var fault *RequestBodyError
		require.ErrorAs(t, err, &fault)
	})
}

func TestAnAnswerBeforeTheRequestsEnd(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
		_, _ = http.ReadRequest(reader)
		_, _ = io.WriteString(connection, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		_, _ = reader.ReadByte()
	})
	source, sink := io.Pipe() // never ends by itself
	request := &Request{Method: "POST", Host: "a", URL: &url.URL{Path: "/"}, Length: -1, Body: source, Interrupt: func() { _ = sink.Close() }}
	p := newPool(t, s.address)
	response, err := p.Do(t.Context(), request)
	require.NoError(t, err)
	body, ok := response.Body.(*Body)
	require.True(t, ok)
	require.True(t, body.RequestUnfinished())
	content, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "no", string(content))
	require.NoError(t, body.Close(), "it interrupts the body")
	require.Zero(t, p.idleCount(), "the rest of the request would be taken for the next one")
}

func TestExpectations(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, first string
		sent        bool
	}{
		{"100 lets the body go", "HTTP/1.1 100 Continue\r\n\r\n", true},
		{"a final answer keeps it back", "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
				request, err := http.ReadRequest(reader)
				if err != nil || reader.Buffered() > 0 {
					return
				}
				_, _ = io.WriteString(connection, test.first)
				if content, err := io.ReadAll(request.Body); err == nil && string(content) == "hello" {
					_, _ = io.WriteString(connection, okAnswer)
				}
			})
			request := &Request{
				Method: "POST", Host: "a", URL: &url.URL{Path: "/"}, Length: 5, Body: strings.NewReader("hello"), Expect: true,
				Header: http.Header{"Expect": {"100-continue"}},
			}
			response, _, err := ask(t, newPool(t, s.address), request)
			require.NoError(t, err)
			require.Equal(t, test.sent, response.StatusCode == http.StatusOK)
			require.Equal(t, test.sent, request.Touched())
		})
	}
	t.Run("a server that says nothing gets the body after a while", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, answering(t, okAnswer).address)
		p.options.ContinueTimeout = 1
		request := &Request{Method: "POST", Host: "a", URL: &url.URL{Path: "/"}, Length: 5, Body: strings.NewReader("hello"), Expect: true}
		_, content, err := ask(t, p, request)
		require.NoError(t, err)
		require.Equal(t, "ok", content)
	})
}

func TestHasToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []string
		want   bool
	}{{nil, false}, {[]string{"close"}, true}, {[]string{"a, Close ,b"}, true}, {[]string{"a", "CLOSE"}, true}, {[]string{"closed", "not close"}, false}} {
		require.Equal(t, test.want, HasToken(test.values, "close"), slices.Clone(test.values))
	}
}

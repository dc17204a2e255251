package forward

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// message is what was seen of a request or an answer.
type message struct {
	Line    string
	Header  http.Header
	Content string
	Trailer http.Header
	Broken  bool
}

// scripted is a service that gives the answer that it was told to, and keeps the last request.
type scripted struct {
	mu     sync.Mutex
	answer string
	got    message
}

func (s *scripted) serve(connection net.Conn, reader *bufio.Reader) {
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		content, err := io.ReadAll(request.Body)
		request.Header.Del("Connection") // RFC 9110, 10.1.4, has TE listed in it; net/http forgets that
		s.mu.Lock()
		s.got = message{
			fmt.Sprintf("%s %s %s", request.Method, request.RequestURI, request.Host), request.Header, string(content), request.Trailer, err != nil,
		}
		answer := s.answer
		s.mu.Unlock()
		if _, err := io.WriteString(connection, answer); err != nil || strings.Contains(answer, "Connection: close") {
			return
		}
	}
}

// TestSameAsTheReverseProxy sends the same requests through a Proxy and through net/http's, to a service that gives
// the same answers: both must see the same.
func TestSameAsTheReverseProxy(t *testing.T) {
	t.Parallel()
	script := new(scripted)
	address := raw(t, script.serve)
	ours, _ := before(t, address)
	reverse := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: address})
			r.Out.Host = r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			r.Out.Header["X-Forwarded-For"] = []string{"192.0.2.1"}
			if _, found := r.Out.Header["User-Agent"]; !found {
				r.Out.Header["User-Agent"] = nil
			}
		},
		ModifyResponse: func(response *http.Response) error {
			new(straight).Answered(response)
			return nil
		},
		Transport: &http.Transport{DisableCompression: true},
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	reference := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil // so that the server does not guess one
		reverse.ServeHTTP(w, r)
	}))
	t.Cleanup(reference.Close)
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"}).Draw(t, "method")
		request := drawRequest(t, method)
		answer := drawAnswer(t, method)
		script.mu.Lock()
		script.answer = answer
		script.mu.Unlock()
		exchange := func(server *httptest.Server) (there, back message) {
			script.mu.Lock()
			script.got = message{}
			script.mu.Unlock()
			back = send(t, server.Listener.Addr().String(), method, request)
			script.mu.Lock()
			defer script.mu.Unlock()
			return script.got, back
		}
		wantThere, wantBack := exchange(reference)
		gotThere, gotBack := exchange(ours)
		require.Equal(t, wantThere, gotThere, "what the service got of %q", request)
		require.Equal(t, wantBack, gotBack, "what the client got of %q", script.answer)
	})
}

func send(t *rapid.T, address, method, request string) message {
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer connection.Close()
	_, err = io.WriteString(connection, request)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		return message{Broken: true}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	response.Header.Del("Date")
	// Whether the end is marked by a length or by chunks is for each hop to choose.
	if method != http.MethodHead && response.StatusCode != http.StatusNotModified {
		response.Header.Del("Content-Length")
	}
	if len(response.Trailer) == 0 {
		response.Trailer = nil
	}
	return message{fmt.Sprint(response.StatusCode), response.Header, string(content), response.Trailer, err != nil}
}

var (
	drawnNames  = []string{"Accept", "X-One", "x-two", "Cookie", "X-Three", "Keep-Alive", "Proxy-Authorization", "Te", "Cache-Control", "Forwarded"}
	drawnValues = []string{"", "a", "b, c", "trailers", "x=y; z", "\ta\tb ", "ünïcode", strings.Repeat("long ", 300)}
)

const hopDeclaration = "Connection: X-One, keep-alive, X-Forwarded-For\r\n"

func drawHeader(t *rapid.T, names []string) string {
	var header strings.Builder
	for range rapid.IntRange(0, 5).Draw(t, "headers") {
		fmt.Fprintf(&header, "%s: %s\r\n", rapid.SampledFrom(names).Draw(t, "name"), rapid.SampledFrom(drawnValues).Draw(t, "value"))
	}
	if rapid.Bool().Draw(t, "declares a hop") {
		header.WriteString(hopDeclaration)
	}
	return header.String()
}

func drawBody(t *rapid.T) string {
	return strings.Repeat(rapid.StringN(0, 20, -1).Draw(t, "body"), rapid.SampledFrom([]int{1, 1, 100, 5000}).Draw(t, "times"))
}

func drawRequest(t *rapid.T, method string) string {
	// net/http's proxy writes a target anew that has bytes which belong escaped; here it passes as it came.
	target := rapid.SampledFrom([]string{"/", "/a/b?c=d", "/a%2Fb", "//x", "/?", "/%C3%BC", "/a;b?x=1;y=%zz"}).Draw(t, "target")
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: shop.example\r\n%s", method, target, drawHeader(t, drawnNames))
	body := drawBody(t)
	switch framing := rapid.IntRange(0, 2).Draw(t, "framing"); {
	case framing == 0 || body == "" || method == http.MethodHead:
		return head + "\r\n"
	case framing == 1:
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	default:
		return fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", head, len(body), body)
	}
}

func drawAnswer(t *rapid.T, method string) string {
	status := rapid.SampledFrom([]int{200, 201, 204, 301, 304, 404, 418, 500, 503, 599}).Draw(t, "status")
	names := slices.Concat(drawnNames, []string{"Content-Type", "Set-Cookie", "Proxy-Authenticate"})
	head := fmt.Sprintf("HTTP/1.1 %d Some Reason\r\n%s", status, drawHeader(t, names))
	body := drawBody(t)
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return head + "\r\n"
	}
	content := body
	if method == http.MethodHead {
		content = ""
	}
	switch rapid.IntRange(0, 2).Draw(t, "answer's framing") {
	case 0:
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), content)
	case 1:
		// net/http forgets the other options beside close.
		head = strings.ReplaceAll(head, hopDeclaration, "")
		return fmt.Sprintf("%sConnection: close\r\n\r\n%s", head, content)
	}
	if content != "" {
		content = fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n", len(content), content)
	} else if method != http.MethodHead {
		content = "0\r\n\r\n"
	}
	return fmt.Sprintf("%sTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n%s", head, content)
}

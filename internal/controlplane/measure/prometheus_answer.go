package measure

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// mostAnswered bounds an answer of the server: figures are some lines, not megabytes.
const mostAnswered = 8 << 20

// answers lets only pass what can be the answer of a Prometheus server's HTTP API. Something else in front of it, such as the login of
// a proxy, says so itself: its page is neither figures nor the absence of figures.
type answers struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (a answers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, mostAnswered+1))
	_ = response.Body.Close()
	if err == nil {
		err = refused(response, body)
	}
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

func refused(response *http.Response, body []byte) error {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	page := kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
	switch {
	case len(body) > mostAnswered:
		return fmt.Errorf("the answer has more than %d MiB: is --prometheus-url the address of a Prometheus server?", mostAnswered>>20)
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return fmt.Errorf("it redirects%s with status %d, as a login does: give --prometheus-url the address that answers the HTTP API itself, and the credentials for it",
			redirectHost(response), response.StatusCode)
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return fmt.Errorf("it refuses the credentials with status %d: check --prometheus-token-file, --prometheus-username and --prometheus-header", response.StatusCode)
	case response.StatusCode == http.StatusNotFound:
		return fmt.Errorf("it has no HTTP API there (status 404): check the path of --prometheus-url")
	case response.StatusCode >= 500:
		return fmt.Errorf("it answers with status %d: the server, or what stands in front of it, is in trouble", response.StatusCode)
	case page:
		return fmt.Errorf("it answers with a page (status %d), not with JSON, as a login or a proxy does: give --prometheus-url the address that answers the HTTP API itself, and the credentials for it",
			response.StatusCode)
	case len(bytes.TrimSpace(body)) == 0:
		return fmt.Errorf("the answer is empty (status %d): is --prometheus-url the address of a Prometheus server?", response.StatusCode)
	}
	return nil
}

// redirectHost names the host that a redirect is to, without the rest, which may have secrets.
func redirectHost(response *http.Response) string {
	location, err := url.Parse(response.Header.Get("Location"))
	if err != nil || location.Host == "" {
		return ""
	}
	return " to " + location.Hostname()
}

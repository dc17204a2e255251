package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxRequests is how many requests may be on their way at once. It bounds memory and ports when nothing is answered.
const maxRequests = 1024

// requester sends the requests.
type requester struct {
	client *http.Client
	// model is what each request is a copy of.
	model   *http.Request
	timeout time.Duration
}

func newRequester(spec Spec) (*requester, error) {
	request, err := http.NewRequest(http.MethodGet, strings.TrimRight(spec.EntryURL, "/")+spec.Path, nil) //nolint:noctx // each copy gets its own
	if err != nil {
		return nil, fmt.Errorf("the measuring client's requests: %w", err)
	}
	request.Header.Set("User-Agent", "synapse-drill/"+spec.Run)
	for name, value := range spec.Headers {
		if strings.EqualFold(name, "Host") {
			request.Host = value // net/http does not take it from the headers
			continue
		}
		request.Header.Set(name, value)
	}
	return &requester{
		model: request, timeout: spec.MaxLatency,
		client: &http.Client{
			// No proxy: what is measured is the entry and what is behind it.
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: spec.MaxLatency}).DialContext,
				MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: spec.MaxLatency, DisableCompression: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// send sends one request. It is good when all of a 2xx or 3xx is there in time.
func (r *requester) send(ctx context.Context, _ int64) string {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	answer, err := r.client.Do(r.model.Clone(ctx))
	if err != nil {
		return classOf(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return classOf(err)
	}
	if answer.StatusCode < 200 || answer.StatusCode > 399 {
		return fmt.Sprintf("status %d", answer.StatusCode)
	}
	return ""
}

func (r *requester) close() { r.client.CloseIdleConnections() }

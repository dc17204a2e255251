package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheusv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// prometheusTimeout is how long one query may take: an analysis makes a few, and its interval is seconds at least.
const prometheusTimeout = 10 * time.Second

// Prometheus is the [Source] that asks a Prometheus server, which scrapes the gateways' metrics at the daemon, over its
// HTTP API. Its figures are those of increase(), which extrapolates to the ends of the time asked for.
type Prometheus struct{ api prometheusv1.API }

// NewPrometheus returns a source for the server at a base URL. tokenFile may be "".
func NewPrometheus(address, tokenFile string) (*Prometheus, error) {
	// The address itself is not in the messages: a password may be in it.
	base, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the URL of the Prometheus server does not parse: write it as http://HOST:9090")
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, errors.New("the URL of the Prometheus server must begin with http:// or https:// and a host, such as http://127.0.0.1:9090")
	case base.User != nil:
		return nil, errors.New("the URL of the Prometheus server has a user in it: put a bearer token into a file instead")
	}
	client, err := api.NewClient(api.Config{Address: address, Client: &http.Client{
		Transport: bearer{tokenFile: tokenFile, next: http.DefaultTransport},
		Timeout:   prometheusTimeout,
		// Following a redirect would hand the token to whatever host it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return nil, fmt.Errorf("preparing the client of the Prometheus server: %w", err)
	}
	return &Prometheus{api: prometheusv1.NewAPI(client)}, nil
}

// bearer adds the token in a file to each request.
type bearer struct {
	tokenFile string
	next      http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (b bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	if b.tokenFile == "" {
		return b.next.RoundTrip(request)
	}
	token, err := os.ReadFile(b.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the token for the Prometheus server: %w", err)
	}
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	return b.next.RoundTrip(request)
}

// Name implements [Source].
func (p *Prometheus) Name() string { return "prometheus" }

// Split implements [Source].
func (p *Prometheus) Split(ctx context.Context, backend SplitBackend, from, to time.Time) (Traffic, error) {
	selector := fmt.Sprintf("split=%q,backend=%q,region=~%q", backend.Split, backend.Backend, strings.Join(backend.Regions, "|"))
	return p.traffic(ctx, splitRequests, splitDuration, selector, from, to)
}

// Service implements [Source].
func (p *Prometheus) Service(ctx context.Context, service string, from, to time.Time) (Traffic, error) {
	return p.traffic(ctx, serviceRequests, serviceDuration, fmt.Sprintf("service=%q", service), from, to)
}

func (p *Prometheus) traffic(ctx context.Context, requests, duration, selector string, from, to time.Time) (Traffic, error) {
	since, err := p.since(ctx, requests, selector, from, to)
	if err != nil {
		return Traffic{}, err
	}
	traffic := Traffic{Since: since}
	window := promDuration(to.Sub(from))
	byStatus, err := p.vector(ctx, fmt.Sprintf("sum by (status) (increase(%s{%s}[%s]))", requests, selector, window), to)
	if err != nil {
		return Traffic{}, err
	}
	for _, sample := range byStatus {
		switch sample.Metric["status"] {
		case statusNone:
			continue
		case statusError:
			traffic.Errors += float64(sample.Value)
		}
		traffic.Requests += float64(sample.Value)
	}
	byBound, err := p.vector(ctx, fmt.Sprintf("sum by (le) (increase(%s_bucket{%s}[%s]))", duration, selector, window), to)
	if err != nil {
		return Traffic{}, err
	}
	for _, sample := range byBound {
		bound, err := strconv.ParseFloat(string(sample.Metric["le"]), 64)
		if err != nil {
			return Traffic{}, fmt.Errorf("the Prometheus server has a histogram %s with a bound that is no number: %w", duration, err)
		}
		traffic.Latency = append(traffic.Latency, Bucket{Bound: bound, Count: float64(sample.Value)})
	}
	slices.SortFunc(traffic.Latency, func(a, b Bucket) int {
		switch {
		case a.Bound < b.Bound:
			return -1
		case a.Bound > b.Bound:
			return 1
		}
		return 0
	})
	return traffic, nil
}

// sinceSteps is into how many parts the time asked for is divided to find out when its figures begin, which is as exactly as
// that is known. Whole seconds would be too coarse for a time of a few seconds.
const sinceSteps = 200

// since is when the server's samples begin, but not before from.
func (p *Prometheus) since(ctx context.Context, metric, selector string, from, to time.Time) (time.Time, error) {
	window := to.Sub(from)
	query := fmt.Sprintf("min(min_over_time(timestamp(%s{%s})[%s:%s]))", metric, selector, promDuration(window), promDuration(window/sinceSteps))
	seconds, err := p.Query(ctx, query, to)
	if errors.Is(err, ErrNoData) {
		return time.Time{}, fmt.Errorf("%w of %s{%s} at the Prometheus server: check that it scrapes synapsed's /metrics", ErrNoData, metric, selector)
	}
	if err != nil {
		return time.Time{}, err
	}
	since := time.UnixMilli(int64(math.Round(seconds * 1000)))
	if since.Before(from) {
		return from, nil
	}
	return since, nil
}

// Query implements [Querier].
func (p *Prometheus) Query(ctx context.Context, query string, at time.Time) (float64, error) {
	answer, err := p.ask(ctx, query, at)
	if err != nil {
		return 0, err
	}
	var value float64
	switch answer := answer.(type) {
	case *model.Scalar:
		value = float64(answer.Value)
	case model.Vector:
		switch len(answer) {
		case 0:
			return 0, fmt.Errorf("%w: the query gave nothing", ErrNoData)
		case 1:
			value = float64(answer[0].Value)
		default:
			return 0, fmt.Errorf("the query gave %d series instead of one number: put sum, max or avg around it", len(answer))
		}
	default:
		return 0, fmt.Errorf("the query gave a %s instead of one number: put a function such as rate around it", answer.Type())
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, fmt.Errorf("%w: the query gave %v, as a division by 0 does", ErrNoData, value)
	}
	return value, nil
}

func (p *Prometheus) vector(ctx context.Context, query string, at time.Time) (model.Vector, error) {
	answer, err := p.ask(ctx, query, at)
	if err != nil {
		return nil, err
	}
	vector, ok := answer.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the Prometheus server answered %s with a %s, not a vector", query, answer.Type())
	}
	return vector, nil
}

// ask evaluates a query. Warnings, such as that of a rate over a gauge, do not make an answer wrong.
func (p *Prometheus) ask(ctx context.Context, query string, at time.Time) (model.Value, error) {
	answer, _, _, err := p.api.Query(ctx, query, at)
	if err != nil {
		return nil, fmt.Errorf("asking the Prometheus server for %s: %w", query, err)
	}
	return answer, nil
}

// promDuration writes a duration as PromQL does, to the millisecond, and at least one.
func promDuration(d time.Duration) string {
	return model.Duration(max(d.Round(time.Millisecond), time.Millisecond)).String()
}

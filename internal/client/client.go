package client

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"
)

// Defaults of [Config].
const (
	DefaultMaxRetries   = 10
	DefaultRetryWaitMin = 100 * time.Millisecond
	DefaultRetryWaitMax = 10 * time.Second
	DefaultTimeout      = 30 * time.Second
)

// Config configures a [Client]. The zero value of every field but Endpoint has a meaning.
type Config struct {
	// Endpoint is the base URL of synapsed, such as https://synapse.example.com. Plain http is for loopback only.
	Endpoint string
	// Token is the bearer token; empty sends none.
	Token string
	// CACertificate is the certificate authority that signed the server's certificate: PEM text, or the path of a
	// PEM file. Empty: the system's authorities.
	CACertificate string
	// MaxRetries is how often a request is repeated; negative never, 0 [DefaultMaxRetries].
	MaxRetries int
	// RetryWaitMin and RetryWaitMax bound the wait before a repetition, when the server does not say how long.
	RetryWaitMin, RetryWaitMax time.Duration
	// RequestsPerSecond limits the requests sent, repetitions included; 0 means no limit.
	RequestsPerSecond float64
	// UserAgent is sent with every request.
	UserAgent string
	// Timeout bounds each attempt, beside the time the server was asked to wait; 0 means [DefaultTimeout].
	Timeout time.Duration
	// Logger receives one debug record for each attempt, without headers and bodies; nil discards them.
	Logger *slog.Logger
}

// Client calls the API of one synapsed. It is safe for concurrent use.
type Client struct {
	base     *url.URL
	http     *http.Client
	retry    retryPolicy
	limiter  *rate.Limiter
	timeout  time.Duration
	reached  *reached
	attempts func(context.Context, attempt)
}

// New checks the configuration and returns a client. It sends nothing: the first request finds out whether a
// synapsed of the right version answers.
func New(config Config) (*Client, error) {
	base, err := ParseEndpoint(config.Endpoint)
	if err != nil {
		return nil, err
	}
	if err := checkToken(config.Token); err != nil {
		return nil, err
	}
	transport, err := newTransport(config.CACertificate)
	if err != nil {
		return nil, err
	}
	logger := config.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	limit := rate.Inf
	if config.RequestsPerSecond > 0 {
		limit = rate.Limit(config.RequestsPerSecond)
	}
	c := &Client{
		base: base,
		http: &http.Client{
			Transport: &authenticated{
				next: transport, token: config.Token, userAgent: config.UserAgent,
			},
			// A redirect would carry the token to another place, or turn a POST into a GET.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limiter: rate.NewLimiter(limit, max(1, int(config.RequestsPerSecond))),
		timeout: orDefault(config.Timeout, DefaultTimeout),
		reached: &reached{},
		attempts: func(ctx context.Context, a attempt) {
			logger.DebugContext(ctx, "synapsed answered", "method", a.method, "path", a.path,
				"attempt", a.number, "status", a.status, "error", a.err)
		},
	}
	c.retry = retryPolicy{
		max:     max(0, orDefault(config.MaxRetries, DefaultMaxRetries)),
		waitMin: orDefault(config.RetryWaitMin, DefaultRetryWaitMin),
		waitMax: orDefault(config.RetryWaitMax, DefaultRetryWaitMax),
	}
	return c, nil
}

// Endpoint is the base URL that the client calls.
func (c *Client) Endpoint() string { return c.base.String() }

// retrying returns the client that sends one logical request, each attempt bounded by timeout.
func (c *Client) retrying(call *call) *retryablehttp.Client {
	bounded := *c.http
	bounded.Timeout = c.timeout + call.wait
	return &retryablehttp.Client{
		HTTPClient:   &bounded,
		RetryMax:     c.retry.max,
		RetryWaitMin: c.retry.waitMin,
		RetryWaitMax: c.retry.waitMax,
		CheckRetry:   call.checkRetry,
		Backoff:      backoff,
		PrepareRetry: func(request *http.Request) error { return c.limiter.Wait(request.Context()) },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// ParseEndpoint checks the base URL of synapsed. Plain http is accepted for loopback addresses only, because the
// token would travel in the clear.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		// The error of url.Parse repeats the text, which may hold a password.
		return nil, fmt.Errorf("the endpoint is not a URL: write it as https://HOST or http://127.0.0.1:7700")
	case u.User != nil:
		return nil, fmt.Errorf("the endpoint contains a user name or password: remove it and give the token instead")
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("%q is not a base URL: write it as https://HOST or http://127.0.0.1:7700", endpoint)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the endpoint has a query or a fragment: write the base URL only")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%q would send the token in the clear to another machine: use https (plain http is for 127.0.0.1, ::1 and localhost)", endpoint)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// checkToken refuses what cannot be sent in a header, without repeating it.
func checkToken(token string) error {
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fmt.Errorf("the token contains a space, a line break or another character that no token has: remove it (a file read with file() often ends with a line break; use trimspace)")
	}
	return nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// firstContactAttempts is how often an endpoint that never answered is tried: a wrong address should be
	// reported within about a second, while a daemon that restarts during a run is waited for.
	firstContactAttempts = 4
	// longestRetryAfter is the longest wait that the server may ask for; beyond it its answer is reported at once.
	longestRetryAfter = time.Minute
)

type retryPolicy struct {
	max              int
	waitMin, waitMax time.Duration
}

// reached remembers whether the endpoint ever answered.
type reached struct{ answered atomic.Bool }

// checkRetry implements [retryablehttp.CheckRetry] for one logical request.
func (c *call) checkRetry(ctx context.Context, response *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if !c.counted(response, err) {
		return false, nil
	}
	if err != nil {
		if isTLSError(err) || !c.repeatable {
			return false, nil
		}
		return c.reached.answered.Load() || c.attempt < firstContactAttempts, nil
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		wait, _ := retryAfter(response)
		return c.repeatable && wait <= longestRetryAfter, nil
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return c.repeatable, nil
	}
	return false, nil
}

// counted records an attempt, and reports whether there is something to decide: go-retryablehttp asks a second time
// after the response handler has read the body, which then is usually fine.
func (c *call) counted(response *http.Response, err error) bool {
	again := response != nil && response == c.seen
	if again && err == nil {
		return false
	}
	status := 0
	if response != nil {
		c.seen, status = response, response.StatusCode
		c.reached.answered.Store(true)
	}
	if !again {
		c.attempt++
	}
	c.log(attempt{method: c.method, path: c.path, number: c.attempt, status: status, err: err})
	return true
}

// backoff waits as long as the server says, else exponentially longer, in both cases with jitter so that many
// clients do not come back at the same moment.
func backoff(low, high time.Duration, number int, response *http.Response) time.Duration {
	if wait, ok := retryAfter(response); ok {
		return wait + rand.N(wait/4+low)
	}
	wait := time.Duration(math.Min(float64(high), float64(low)*math.Pow(2, float64(number))))
	return wait/2 + rand.N(wait/2+1)
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(response *http.Response) (time.Duration, bool) {
	if response == nil {
		return 0, false
	}
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(max(0, seconds)) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// isTLSError reports whether repeating is of no use because the two sides will not agree on a connection.
func isTLSError(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		alert        tls.AlertError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &host)
}

// isUnreachable reports whether no connection could be made at all.
func isUnreachable(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

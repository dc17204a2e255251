package test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAThirdOfTheRequestsFail puts a proxy between Terraform and the control plane that answers 429 or 503, or cuts the
// connection off before or after the request was served, for three requests in ten.
func TestAThirdOfTheRequestsFail(t *testing.T) {
	t.Parallel()
	const tenants = 4
	d, w := stack(t, "test/testdata/crash")
	target, err := url.Parse(d.Endpoint)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	var requests, failed atomic.Int32
	proxy.ModifyResponse = func(response *http.Response) error {
		if response.Request.Header.Get("Test-Lose-Answer") != "" {
			return http.ErrAbortHandler
		}
		return nil
	}
	proxy.ErrorHandler = func(response http.ResponseWriter, _ *http.Request, _ error) { cutOff(response) }
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		requests.Add(1)
		fate := rand.IntN(40)
		if fate < 12 {
			failed.Add(1)
		}
		switch {
		case fate < 3:
			response.Header().Set("Retry-After", "0")
			response.WriteHeader(http.StatusTooManyRequests)
		case fate < 6:
			response.Header().Set("Retry-After", "0")
			response.WriteHeader(http.StatusServiceUnavailable)
		case fate < 9:
			cutOff(response)
		case fate < 12:
			request.Header.Set("Test-Lose-Answer", "1")
			proxy.ServeHTTP(response, request)
		default:
			proxy.ServeHTTP(response, request)
		}
	}))
	defer server.Close()

	w.Env["SYNAPSE_ENDPOINT"], w.Env["TF_VAR_tenants"] = server.URL, "4"
	w.Run(t, "apply", "-input=false", "-auto-approve")
	t.Logf("%d of %d requests failed", failed.Load(), requests.Load())
	require.Greater(t, failed.Load(), int32(5))
	requireConverged(t, d, w, tenants)
	for object, times := range created(t, d) {
		require.Equal(t, 1, times, "%s was created more than once", object)
	}
	w.Run(t, "destroy", "-input=false", "-auto-approve")
	require.Empty(t, d.Processes())
}

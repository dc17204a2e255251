package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// looping is an entry with a region whose split leads back to the entry, through a proxy of somebody else's when there is one.
func looping(t *testing.T, through func(entry string) string) (entryURL string, passes func() int64) {
	region := newRegionServer(t, Config{})
	e := newEntry(testToken, quiet(), time.Now)
	e.apply(&EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}})
	front := httptest.NewServer(e)
	t.Cleanup(front.Close)
	var counted atomic.Int64
	counter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted.Add(1)
		proxyTo(t, front.URL).ServeHTTP(w, r)
	}))
	t.Cleanup(counter.Close)
	s := authSplit(through(counter.URL), 0)
	s.Route.PathPrefix, s.Mirror = "/", &synapse.Mirror{Backend: "next", Percent: 100, Methods: []string{"GET"}}
	s.Backends["monolith"] = SplitBackend{URL: s.Backends["monolith"].URL, ReplacePrefix: "/", Weight: 100}
	// The mirror doubles each request that comes back.
	s.Backends["next"] = SplitBackend{URL: s.Backends["monolith"].URL, ReplacePrefix: "/"}
	region.apply(t, Config{Splits: []Split{s}})
	return front.URL, counted.Load
}

func proxyTo(t *testing.T, target string) http.Handler {
	u, err := url.Parse(target)
	require.NoError(t, err)
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
}

func TestASplitThatLeadsBackToThePlatformEnds(t *testing.T) {
	t.Parallel()
	for name, through := range map[string]func(string) string{
		"at the entry": func(entry string) string { return entry },
		"through a proxy": func(entry string) string {
			server := httptest.NewServer(proxyTo(t, entry))
			t.Cleanup(server.Close)
			return server.URL
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entry, passes := looping(t, through)
			got := send(t, http.MethodGet, entry+"/x", "")
			require.Equal(t, http.StatusLoopDetected, got.Status)
			require.Equal(t, CodeLoopDetected, got.Problem.Code)
			require.Contains(t, got.Problem.Detail, `split "auth"`)
			// Each of the three passes sends the request and its copy on, 2+4+8; copies may still be on their way.
			require.LessOrEqual(t, passes(), int64(14))
			require.GreaterOrEqual(t, passes(), int64(3))
		})
	}
}

func TestHopsThatAClientMakesUpAreNone(t *testing.T) {
	t.Parallel()
	counter, config := newHopCounter(internalToken(testToken)), serving(newReplica(t, "one").endpoint())
	region := newRegionServer(t, config)
	e := newEntry(testToken, quiet(), time.Now)
	e.apply(&EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}})
	front := httptest.NewServer(e)
	t.Cleanup(front.Close)
	for name, test := range map[string]struct {
		said []string
		want int
	}{
		"nothing":                   {nil, 1},
		"a number":                  {[]string{HeaderHops, "3"}, 1},
		"a code of another number":  {[]string{HeaderHops, "3" + counter.values[1][0][1:]}, 1},
		"a true one and another":    {[]string{HeaderHops, counter.values[3][0], HeaderHops, "0"}, 1},
		"what a gateway has said":   {[]string{HeaderHops, counter.values[1][0]}, 2},
		"Via, which anybody writes": {[]string{"Via", "1.1 a, 1.1 b, 1.1 c, 1.1 d, 1.1 e"}, 1},
	} {
		for _, place := range []string{front.URL, region.URL} {
			got := send(t, http.MethodGet, place+"/orders/x", "", test.said...)
			require.Equal(t, http.StatusOK, got.Status, name)
			require.Equal(t, counter.values[test.want], got.Seen.Header[HeaderHops], name)
		}
	}
	got := send(t, http.MethodGet, front.URL+"/orders/x", "", HeaderHops, counter.values[3][0])
	require.Equal(t, http.StatusLoopDetected, got.Status)
	require.Contains(t, got.Problem.Detail, `service "orders"`)
}

func TestTheCountOfAnotherPlatformIsNone(t *testing.T) {
	t.Parallel()
	other := newHopCounter(internalToken("another platform's token, of enough characters"))
	require.Zero(t, newHopCounter(internalToken(testToken)).of(http.Header{HeaderHops: other.values[3]}))
}

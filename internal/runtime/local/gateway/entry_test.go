package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeRegion is a region gateway that answers as it is told.
type fakeRegion struct {
	*httptest.Server
	name string
	// noEndpoint makes it answer 503 as a gateway does that has nothing to serve with.
	noEndpoint atomic.Bool
	asked      atomic.Int64
	header     atomic.Pointer[http.Header]
}

func newFakeRegion(t testing.TB, name string) *fakeRegion {
	f := &fakeRegion{name: name}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(HeaderRegion, name)
		if r.URL.Path == healthPath {
			return
		}
		f.asked.Add(1)
		f.header.Store(&r.Header)
		if f.noEndpoint.Load() {
			unavailable(CodeNoEndpoint, "nothing to serve with").write(w, "", askedBy(r))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = io.WriteString(w, `{"Replica":"`+name+`","Body":"`+string(body)+`"}`)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeRegion) asRegion() EntryRegion { return EntryRegion{f.name, addressOf(f.Server)} }

func newEntryServer(t testing.TB, config EntryConfig) (*entry, string) {
	e := newEntry(testToken, quiet(), time.Now)
	require.NoError(t, config.Validate())
	e.apply(&config)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return e, server.URL
}

func TestEntryOrder(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	e := newEntry(testToken, quiet(), time.Now)
	e.apply(&EntryConfig{
		Regions: []EntryRegion{{"eu", "127.0.0.1:1"}, {"us", "127.0.0.1:2"}, {"ap", "127.0.0.1:3"}, {"down", "127.0.0.1:4"}},
		TenantHomes: map[string]TenantHome{
			"free": {}, "home": {Home: "ap"}, "fixed": {Home: "us", Allowed: []string{"us", "ap"}},
			"lost": {Home: "down", Allowed: []string{"down"}}, "astray": {Home: "eu", Allowed: []string{"us"}},
		},
	})
	for i, latency := range []time.Duration{30 * ms, 10*ms + 100*time.Microsecond, 10 * ms, ms} {
		e.table.Load().regions[i].health.Succeeded(latency)
	}
	for range 2 {
		e.table.Load().regions[3].health.Failed(errors.New("no answer"))
	}
	for _, test := range []struct{ name, tenant, prefer, want string }{
		{"the nearest first, and of equals the first configured", "", "", "us ap eu"},
		{"a tenant without a home as well", "free", "", "us ap eu"},
		{"a tenant that is not known as well", "nobody", "", "us ap eu"},
		{"the tenant's home before nearer ones", "home", "", "ap us eu"},
		{"the client's wish before the home", "home", "eu", "eu ap us"},
		{"only allowed regions", "fixed", "", "us ap"},
		{"the client's wish only if it is allowed", "fixed", "eu", "us ap"},
		{"the client's wish only if it exists", "free", "mars", "us ap eu"},
		{"the client's wish only if it is healthy", "free", "down", "us ap eu"},
		{"no region when the only allowed one is unhealthy", "lost", "", ""},
		{"a home that is not allowed is not used", "astray", "", "us"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var names []string
			for _, region := range e.table.Load().order(test.tenant, test.prefer, nil) {
				names = append(names, region.name)
			}
			require.Equal(t, test.want, strings.Join(names, " "))
		})
	}
}

func TestEntryFailover(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", maxReplayedBody+1)
	for _, test := range []struct {
		name, method, body string
		dead, all          bool // the first region cannot be connected to, or else has no endpoint; all: the second too
		status             int
		code               string
	}{
		{"a read goes on when a region has no endpoint", http.MethodGet, "", false, false, 200, ""},
		{"a small write goes on when a region has no endpoint", http.MethodPost, "small", false, false, 200, ""},
		{"a large write gets the first region's answer, as its body is gone", http.MethodPost, large, false, false, 503, CodeNoEndpoint},
		{"a read goes on when a region is dead", http.MethodGet, "", true, false, 200, ""},
		{"a small write goes on when a region is dead", http.MethodPost, "small", true, false, 200, ""},
		{"a large write goes on when a region is dead, as nothing was sent", http.MethodPost, large, true, false, 200, ""},
		{"the last region's answer is the client's when no region has an endpoint", http.MethodGet, "", false, true, 503, CodeNoEndpoint},
		{"no region at all is a problem of its own", http.MethodPost, "small", true, true, 503, CodeNoRegion},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			eu, us := newFakeRegion(t, "eu"), newFakeRegion(t, "us")
			for i, region := range []*fakeRegion{eu, us} {
				switch {
				case i == 1 && !test.all:
				case test.dead:
					region.Close()
				default:
					region.noEndpoint.Store(true)
				}
			}
			_, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{eu.asRegion(), us.asRegion()}})
			got := send(t, test.method, url+"/orders/", test.body)
			require.Equal(t, test.status, got.Status)
			require.Equal(t, test.code, got.Problem.Code)
			if test.status == http.StatusOK {
				require.Equal(t, "us", got.Seen.Replica)
				require.Equal(t, "us", got.Header.Get(HeaderRegion))
				require.Equal(t, test.body, got.Seen.Body)
				require.EqualValues(t, 1, us.asked.Load())
			} else {
				require.Equal(t, "1", got.Header.Get("Retry-After"))
			}
		})
	}
	t.Run("a write that broke off is not sent to another region", func(t *testing.T) {
		t.Parallel()
		broken := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}))
		t.Cleanup(broken.Close)
		us := newFakeRegion(t, "us")
		_, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{{"eu", addressOf(broken)}, us.asRegion()}})
		got := send(t, http.MethodPost, url+"/orders/", "small")
		require.Equal(t, http.StatusBadGateway, got.Status)
		require.Equal(t, CodeUpstreamFailed, got.Problem.Code)
		require.Zero(t, us.asked.Load())
	})
	t.Run("a body that ends early is the client's fault", func(t *testing.T) {
		t.Parallel()
		e := newEntry(testToken, quiet(), time.Now)
		recorder := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodPost, "/orders/", bytes.NewReader([]byte("abc")))
		request.ContentLength = 10
		e.ServeHTTP(recorder, request)
		require.Equal(t, http.StatusBadRequest, recorder.Code)
	})
	t.Run("without a configuration there is no region", func(t *testing.T) {
		t.Parallel()
		_, url := newEntryServer(t, EntryConfig{})
		require.Equal(t, CodeNoRegion, send(t, http.MethodGet, url+"/orders/", "").Problem.Code)
	})
}

func TestWhatTheRegionGets(t *testing.T) {
	t.Parallel()
	eu := newFakeRegion(t, "eu")
	_, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{eu.asRegion()}})
	send(t, http.MethodGet, url+"/orders/", "", HeaderTenant, "acme", HeaderDeployment, "v2", headerClientIP, "10.0.0.1",
		headerInternal, "guess", HeaderPreferRegion, "eu", headerForwardedFor, "10.0.0.1", "X_Synapse_Client_Ip", "10.0.0.1", HeaderRequestID, "given")
	got := *eu.header.Load()
	require.Equal(t, []string{"acme"}, got[HeaderTenant])
	require.Equal(t, []string{"v2"}, got[HeaderDeployment])
	require.Equal(t, []string{"127.0.0.1"}, got[headerClientIP])
	require.Equal(t, []string{internalToken(testToken)}, got[headerInternal])
	require.Equal(t, []string{"given"}, got[HeaderRequestID])
	for _, absent := range []string{HeaderPreferRegion, headerForwardedFor, "X_synapse_client_ip"} {
		require.NotContains(t, got, absent)
	}
}

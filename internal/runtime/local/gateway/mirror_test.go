package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const patience = time.Minute

// mirroring copies what the monolith serves to a deployment that handler stands for.
func mirroring(t *testing.T, handler http.HandlerFunc, change func(*synapse.Mirror)) *regionServer {
	target := httptest.NewServer(handler)
	t.Cleanup(target.Close)
	config, _ := splitting(t, 0)
	config.Services["auth"].Deployments[0].Endpoints = []Endpoint{{ID: "mirror", Address: addressOf(target)}}
	m := &synapse.Mirror{Backend: "next", Percent: 100, Methods: []string{"GET", "HEAD"}}
	if change != nil {
		change(m)
	}
	config.Splits[0].Mirror = m
	return newRegionServer(t, config)
}

func (s *regionServer) mirrored(t testing.TB, status string) float64 {
	return valueOf(t, s.gateway.metrics.splits.mirrored.WithLabelValues("auth", "next", status))
}

func TestAMirrorGetsCopies(t *testing.T) {
	t.Parallel()
	copies := make(chan *http.Request, 10)
	region := mirroring(t, func(w http.ResponseWriter, r *http.Request) {
		copies <- r.Clone(t.Context())
		w.Header().Set("X-Mirror", "leaked")
		w.WriteHeader(http.StatusTeapot)
	}, nil)
	answered := send(t, http.MethodGet, region.URL+"/auth/a%2Fb?x=1", "", HeaderTenant, "acme", HeaderRequestID, "given", "X-Other", "kept")
	require.Equal(t, http.StatusOK, answered.Status)
	require.Equal(t, "monolith", answered.Seen.Replica)
	require.Empty(t, answered.Header.Get("X-Mirror"))
	require.NotContains(t, answered.Seen.Header, HeaderMirrored)

	select {
	case got := <-copies:
		require.Equal(t, "/a%2Fb?x=1", got.RequestURI)
		for header, value := range map[string]string{
			HeaderMirrored: "true", HeaderTenant: "acme", HeaderTenantRole: "ro", HeaderRequestID: "given", "X-Other": "kept",
			headerForwardedFor: "127.0.0.1", headerForwardedPrefix: "/auth", HeaderRegion: "eu",
		} {
			require.Equal(t, []string{value}, got.Header[header], header)
		}
	case <-time.After(patience):
		t.Fatal("no copy came")
	}
	require.Eventually(t, func() bool { return region.mirrored(t, "4xx") == 1 }, patience, time.Millisecond)
	require.Zero(t, valueOf(t, region.gateway.metrics.requests.WithLabelValues("auth", "v1", "4xx")), "a copy is no user's request")
	require.Zero(t, valueOf(t, region.gateway.metrics.splits.requests.WithLabelValues("auth", "next", "4xx")))
}

func TestWhatIsNotMirrored(t *testing.T) {
	t.Parallel()
	region := mirroring(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/last" || r.Header.Get(HeaderMirrored) != "true" {
			t.Errorf("%s %s was mirrored", r.Method, r.URL)
		}
	}, nil)
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodOptions} {
		require.Equal(t, http.StatusOK, send(t, method, region.URL+"/auth/x", "").Status)
	}
	require.Equal(t, http.StatusForbidden, send(t, http.MethodGet, region.URL+"/auth/x", "", HeaderTenant, "denied").Status)
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, region.URL+"/auth/x", "", HeaderTenant, "silo").Status, "the mirror may not serve this tenant")
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, region.URL+"/auth/last", "").Status)
	require.Eventually(t, func() bool { return region.mirrored(t, "2xx") == 1 }, patience, time.Millisecond)
}

func TestPercentOfTheRequestsIsMirrored(t *testing.T) {
	t.Parallel()
	m := &mirror{backend: &backend{}, percent: 30, methods: []string{"GET"}}
	copies, r := 0, httptest.NewRequest(http.MethodGet, "/", nil)
	for range 20_000 {
		if m.wants(r, &backend{}, nil) {
			copies++
		}
	}
	require.InDelta(t, 6000, copies, 500) // more than 7 standard deviations
	m.percent = 100
	require.False(t, m.wants(r, m.backend, nil), "it has that one already")
}

func TestAMirrorNeverAffectsAnswers(t *testing.T) {
	t.Parallel()
	t.Run("one that hangs is not waited for, and its copies are bounded", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		region := mirroring(t, func(http.ResponseWriter, *http.Request) { <-release }, nil)
		t.Cleanup(func() { close(release) }) // before the server closes, which waits
		for range maxMirrored + 10 {
			require.Equal(t, "monolith", send(t, http.MethodGet, region.URL+"/auth/x", "").Seen.Replica)
		}
		require.NotZero(t, region.mirrored(t, statusDropped))
	})
	t.Run("one that breaks off is counted", func(t *testing.T) {
		t.Parallel()
		region := mirroring(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil)
		require.Equal(t, "monolith", send(t, http.MethodGet, region.URL+"/auth/x", "").Seen.Replica)
		require.Eventually(t, func() bool { return region.mirrored(t, "none") == 1 }, patience, time.Millisecond)
	})
	t.Run("one that breaks off in the middle of its answer ends only the copy", func(t *testing.T) {
		t.Parallel()
		region := mirroring(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("part"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, nil)
		for i := range 3 {
			require.Equal(t, "monolith", send(t, http.MethodGet, region.URL+"/auth/x", "").Seen.Replica)
			require.Eventually(t, func() bool { return region.mirrored(t, "2xx") == float64(i+1) }, patience, time.Millisecond)
		}
	})
	t.Run("one without endpoints is counted", func(t *testing.T) {
		t.Parallel()
		region := mirroring(t, nil, func(m *synapse.Mirror) { m.Methods = []string{"OPTIONS"} })
		config, _ := splitting(t, 0)
		config.Services = nil
		config.Splits[0].Mirror = &synapse.Mirror{Backend: "next", Percent: 100, Methods: []string{"GET"}}
		region.apply(t, config)
		require.Equal(t, "monolith", send(t, http.MethodGet, region.URL+"/auth/x", "").Seen.Replica)
		require.Eventually(t, func() bool { return region.mirrored(t, "none") == 1 }, patience, time.Millisecond)
	})
}

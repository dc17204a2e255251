package gateway

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// site is a backend whose pages lead to each other alone. It says so in all the ways in which a site can.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	steps  []step
	visits []visit
}

// step is one answer of a site.
type step struct {
	path     string // that it redirects to, below the site's root
	form     string
	cookie   string // name
	cookieOf string // its path below the site's root; empty: it says none
}

// visit is one request that a site got.
type visit struct {
	Path    string
	Cookies []string
}

func newSite(t testing.TB) *site {
	s := new(site)
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements [http.Handler]: it redirects as the step says that comes next.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cookies := strings.Split(r.Header.Get("Cookie"), "; ")
	slices.Sort(cookies)
	// One name may come twice, with the paths /store and /store/. On a route of all paths, / is the client's for both.
	s.visits = append(s.visits, visit{r.URL.EscapedPath(), slices.Compact(cookies)})
	if len(s.visits) > len(s.steps) {
		return
	}
	next := s.steps[len(s.visits)-1]
	w.Header().Set("Location", locationIn(next.form, s.Listener.Addr().String(), r, next.path))
	cookie := next.cookie + "=1; HttpOnly"
	if next.cookieOf != "" {
		cookie += "; Path=" + next.cookieOf
	}
	w.Header().Add("Set-Cookie", cookie)
	w.WriteHeader(http.StatusSeeOther)
}

// locationIn says an absolute path in one of the forms of a Location.
func locationIn(form, own string, r *http.Request, path string) string {
	switch form {
	case "own host":
		return "http://" + own + path
	case "client's host": // as services do that honour X-Forwarded-Host
		if host := r.Header.Get(headerForwardedHost); host != "" {
			return "http://" + host + path
		}
		return "http://" + r.Host + path
	case "relative":
		return "./" + strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1) + strings.TrimPrefix(path, "/")
	case "with dots":
		return "/x/.." + path
	}
	return path
}

// visitsOf follows a site from a URL to the end, as a browser would.
func (s *site) visitsOf(t require.TestingT, steps []step, url string) []visit {
	s.mu.Lock()
	s.steps, s.visits = steps, nil
	s.mu.Unlock()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > len(steps) {
			return fmt.Errorf("%d redirects, not %d", len(via), len(steps))
		}
		return nil
	}}
	response, err := client.Get(url) //nolint:noctx // the server is the test's own
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visits
}

// A site that leads to itself alone is, behind a route, what it is without one: it gets the same requests with the same cookies.
// Its paths do not begin with the route's prefix, which would be what the client's paths are already.
func TestASiteThatLeadsToItselfDoesSoBehindARoute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	config, _ := splitting(t, 0)
	region := newRegionServer(t, config)
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"/", "/shop", "/shop/v1", "/api/store"}).Draw(t, "prefix")
		replacement := rapid.SampledFrom([]string{"/", "/store", "/store/v2", "/shop/v1/next"}).Draw(t, "replacement")
		base := rapid.SampledFrom([]string{"", "/", "/old", "/old/app/"}).Draw(t, "base")
		root := strings.TrimSuffix(base, "/") + strings.TrimSuffix(replacement, "/")
		// Nothing is escaped that may be in the path of a cookie: Go's jar, other than a browser's, compares decoded paths.
		segment := rapid.SampledFrom([]string{"a", "b", "cd", "e.f", "~"})
		pages := rapid.Map(rapid.SliceOfN(segment, 0, 3), func(segments []string) string { return "/" + strings.Join(segments, "/") })
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			next := step{
				path:   root + pages.Draw(t, "page"),
				form:   rapid.SampledFrom([]string{"path", "own host", "client's host", "relative", "with dots"}).Draw(t, "form"),
				cookie: rapid.SampledFrom([]string{"one", "two", "three"}).Draw(t, "cookie"),
			}
			if rapid.Bool().Draw(t, "the cookie says a path") {
				next.cookieOf = root + pages.Draw(t, "cookie's path")
			}
			return next
		}), 1, 6).Draw(t, "steps")
		first := rapid.SampledFrom([]string{"", "/", "/a", "/a/b"}).Draw(t, "first page")

		config.Splits[0].Route.PathPrefix = prefix
		config.Splits[0].Backends["monolith"] = SplitBackend{URL: s.URL + base, ReplacePrefix: replacement, Weight: 100}
		region.gateway.apply(withRegion(config))

		directly := s.visitsOf(t, steps, s.URL+directPath(root, prefix, first))
		behind := s.visitsOf(t, steps, region.URL+strings.TrimSuffix(prefix, "/")+first)
		require.Equal(t, directly, behind)
	})
}

// directPath is what the backend sees of the client's first request.
func directPath(root, prefix, first string) string {
	if prefix == "/" && first == "" { // there is no request without a path
		first = "/"
	}
	if root+first == "" {
		return "/"
	}
	return root + first
}

func withRegion(config Config) *Config {
	config.Region = "eu"
	return &config
}

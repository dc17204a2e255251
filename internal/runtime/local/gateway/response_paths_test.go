package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pathsOf is the way back of a route's rewriting.
func pathsOf(t testing.TB, prefix, replacement, base string) *responsePaths {
	u := parsed(t, base)
	return newResponsePaths(newRewriting(prefix, replacement, u), u)
}

func TestWhatABackendSaysOfItsPathsIsRightForTheClient(t *testing.T) {
	t.Parallel()
	const host = "shop.example.com"
	for _, test := range []struct{ name, prefix, replacement, base, target, location, want string }{
		{"an absolute path", "/auth", "/", "", "/x", "/login", "/auth/login"},
		{"the root", "/auth", "/", "", "/x", "/", "/auth/"},
		{"query and fragment stay", "/auth", "/", "", "/x", "/login?next=/a#top", "/auth/login?next=/a#top"},
		{"the rest is spelled as it was", "/auth", "/", "", "/x", "/a%2Fb//c;d=é ", "/auth/a%2Fb//c;d=é "},
		{"below what took the prefix's place", "/shop", "/store", "", "/store/x", "/store/cart", "/shop/cart"},
		{"what took the prefix's place itself", "/shop", "/store", "", "/store/x", "/store", "/shop"},
		{"it, spelled otherwise", "/shop", "/store", "", "/store/x", "/st%6Fre/cart", "/shop/cart"},
		{"a path that only begins alike", "/shop", "/store", "", "/store/x", "/stores", "/stores"},
		{"a path beside it", "/shop", "/store", "", "/store/x", "/help", "/help"},
		{"below the path of the backend's URL", "/shop", "/store", "http://m/old", "/old/store/x", "/old/store/cart", "/shop/cart"},
		{"a route of all paths", "/", "/store", "", "/store/x", "/store/cart", "/cart"},
		{"a route of all paths, itself", "/", "/store", "", "/store/x", "/store", "/"},
		{"a service that honours X-Forwarded-Prefix", "/auth", "/", "", "/x", "/auth/login", "/auth/login"},
		{"a service that honours it, with a path of its own", "/shop", "/store", "", "/store/x", "/shop/cart", "/shop/cart"},
		{"the end of the prefix is kept", "/api/auth", "/auth", "", "/auth/x", "/auth/login", "/api/auth/login"},
		{"the end of the prefix is kept, and honoured", "/api/auth", "/auth", "", "/auth/x", "/api/auth/login", "/api/auth/login"},
		{"what took its place begins with the prefix", "/auth", "/auth/v2", "", "/auth/v2/x", "/auth/v2/login", "/auth/login"},
		{"what took its place begins with the prefix, and it is honoured", "/auth", "/auth/v2", "", "/auth/v2/x", "/auth/login", "/auth/login"},
		{"relative", "/auth", "/", "", "/a/b", "login", "/auth/a/login"},
		{"relative to the whole prefix", "/auth", "/", "", "/", "login", "/auth/login"},
		{"relative, upwards", "/auth", "/", "", "/a/b/c", "../login?x", "/auth/a/login?x"},
		{"relative, further up than there is", "/auth", "/", "", "/a", "../../../login", "/auth/login"},
		{"dots in an absolute path", "/auth", "/", "", "/a", "/../login", "/auth/login"},
		{"dots that leave what took the prefix's place", "/shop", "/store", "", "/store/x", "/store/../help", "/help"},
		{"only a query", "/auth", "/", "", "/a", "?page=2", "?page=2"},
		{"only a fragment", "/auth", "/", "", "/a", "#top", "#top"},
		{"nothing", "/auth", "/", "", "/a", "", ""},
		{"the client's host", "/auth", "/", "", "/x", "https://shop.example.com/login", "https://shop.example.com/auth/login"},
		{"the client's host with the scheme's port, in capitals", "/auth", "/", "", "/x", "HTTP://Shop.Example.com:80/login", "http://Shop.Example.com:80/auth/login"},
		{"the client's host without a path", "/auth", "/", "", "/x", "http://shop.example.com", "http://shop.example.com/auth/"},
		{"the client's host without a scheme", "/auth", "/", "", "/x", "//shop.example.com/login", "//shop.example.com/auth/login"},
		{"another port of the client's host", "/auth", "/", "", "/x", "http://shop.example.com:8080/login", "http://shop.example.com:8080/login"},
		{"another host", "/auth", "/", "", "/x", "https://accounts.example.com/login", "https://accounts.example.com/login"},
		{"another host with a user that looks like ours", "/auth", "/", "", "/x", "http://shop.example.com@evil.example/login", "http://shop.example.com@evil.example/login"},
		{"another scheme", "/auth", "/", "", "/x", "myapp://shop.example.com/login", "myapp://shop.example.com/login"},
		{"no path of anybody's", "/auth", "/", "", "/x", "mailto:support@shop.example.com", "mailto:support@shop.example.com"},
		{"the backend's own host", "/auth", "/", "http://m:8080", "/x", "http://m:8080/login", "/auth/login"},
		{"the backend's own host without a path", "/auth", "/", "http://m", "/x", "http://M:80?x", "/auth/?x"},
		{"the backend's own host, where paths stay", "/auth", "/auth", "http://m", "/auth/x", "http://m/auth/login", "/auth/login"},
		{"a relative one, where paths stay", "/auth", "/auth", "http://m", "/auth/x", "../x", "../x"},
		{"a backend that insists on https", "/auth", "/auth", "http://m", "/auth/x", "https://m/auth/login", "https://m/auth/login"},
		{"another port of the backend's", "/auth", "/auth", "http://m", "/auth/x", "http://m:9000/auth/login", "http://m:9000/auth/login"},
		{"no host comes of empty segments", "/", "/store", "", "/store/x", "/store//evil.example/x", "/.//evil.example/x"},
		{"no host comes of empty segments at the backend's own host", "/", "/", "http://m", "/x", "http://m//evil.example/x", "/.//evil.example/x"},
		{"what a browser would read as slashes", "/", "/store", "", "/store/x", `/store/\evil.example`, `/store/\evil.example`},
		{"what a browser would skip", "/", "/store", "", "/store/x", "/store/\t/evil.example", "/store/\t/evil.example"},
		{"what is no reference", "/auth", "/", "", "/x", "http://[::1/%zz", "http://[::1/%zz"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Location": {test.location}, "Content-Location": {test.location}}
			pathsOf(t, test.prefix, test.replacement, test.base).rewrite(header, host, "", test.target)
			require.Equal(t, []string{test.want}, header["Location"])
			require.Equal(t, []string{test.want}, header["Content-Location"])
		})
	}
}

func TestARefreshIsRewrittenAsARedirectIs(t *testing.T) {
	t.Parallel()
	paths := pathsOf(t, "/auth", "/", "")
	for refresh, want := range map[string]string{
		"0; url=/login":          "0; url=/auth/login",
		`5;URL="/login?a=b"`:     `5;URL="/auth/login?a=b"`,
		"3, url = 'next'":        "3, url = '/auth/a/next'",
		"30":                     "30",
		"0; url=http://e.com/":   "0; url=http://e.com/",
		"0; url=/auth/dashboard": "0; url=/auth/dashboard",
	} {
		header := http.Header{"Refresh": {refresh}}
		paths.rewrite(header, "shop.example.com", "", "/a/b")
		require.Equal(t, []string{want}, header["Refresh"])
	}
}

func TestACookieIsSentBackToWhereTheBackendWantedIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, prefix, replacement, asked, target, cookie, want string }{
		{"of all paths", "/auth", "/", "/auth/x", "/x", "a=b; Path=/; HttpOnly", "a=b; Path=/auth; HttpOnly"},
		{"of a path", "/auth", "/", "/auth/x", "/x", "a=b; path=/admin;Secure", "a=b; Path=/auth/admin;Secure"},
		{"of what took the prefix's place", "/shop", "/store", "/shop/x", "/store/x", "a=b; Path=/store", "a=b; Path=/shop"},
		{"of what took the prefix's place, with a slash", "/shop", "/store", "/shop/x", "/store/x", "a=b; Path=/store/", "a=b; Path=/shop/"},
		{"of a path above it", "/shop", "/store", "/shop/x", "/store/x", "a=b; Path=/", "a=b; Path=/"},
		{"of a path above it that is not all", "/shop", "/store/v2", "/shop/x", "/store/v2/x", "a=b; Path=/store", "a=b; Path=/shop"},
		{"of a path beside it", "/shop", "/store", "/shop/x", "/store/x", "a=b; Path=/help", "a=b; Path=/help"},
		{"of a path that only begins alike", "/shop", "/store", "/shop/x", "/store/x", "a=b; Path=/stores", "a=b; Path=/stores"},
		{"of a service that honours X-Forwarded-Prefix", "/auth", "/", "/auth/x", "/x", "a=b; Path=/auth", "a=b; Path=/auth"},
		{"of a route of all paths", "/", "/store", "/x", "/store/x", "a=b; Path=/store", "a=b; Path=/"},
		{"without a path, where the client finds the right one", "/auth", "/", "/auth/x/y", "/x/y", "a=b", "a=b"},
		{"without a path, at the whole prefix", "/auth", "/", "/auth", "/", "a=b; Secure", "a=b; Secure; Path=/auth"},
		{"with a path that is none", "/auth", "/", "/auth/x/y", "/x/y", "a=b; Path=x", "a=b; Path=x"},
		{"with two paths, of which the last counts", "/auth", "/", "/auth/x", "/x", "a=b; Path=/x; Path=/y", "a=b; Path=/auth/x; Path=/auth/y"},
		{"whose value says a path", "/auth", "/", "/auth/x/y", "/x/y", "path=/x", "path=/x"},
		{"that browsers take with Path=/ only", "/auth", "/", "/auth/x", "/x", "__Host-id=b; Path=/; Secure", "__Host-id=b; Path=/; Secure"},
		{"with a domain, which stays", "/auth", "/", "/auth/x", "/x", "a=b; Domain=example.com; Path=/", "a=b; Domain=example.com; Path=/auth"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Set-Cookie": {test.cookie, "other=1; Path=/none"}}
			pathsOf(t, test.prefix, test.replacement, "").rewrite(header, "shop.example.com", test.asked, test.target)
			require.Equal(t, test.want, header["Set-Cookie"][0])
			require.Len(t, header["Set-Cookie"], 2)
		})
	}
}

func TestXForwardedPrefixSaysWhatTheBackendDoesNotSee(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ prefix, replacement, base, want string }{
		{"/auth", "/", "", "/auth"},
		{"/auth", "/auth", "", ""},
		{"/api/auth", "/auth", "", "/api"},
		{"/api/auth", "/", "http://m/auth", "/api"},
		{"/auth", "/auth", "http://m/legacy", ""},
		{"/shop", "/store", "", "/shop"},
		{"/shop/v1", "/store/v1", "", "/shop"},
		{"/ab", "/b", "", "/ab"},
		{"/", "/", "", ""},
		{"/", "/store", "", ""},
	} {
		got := strings.Join(newRewriting(test.prefix, test.replacement, parsed(t, test.base)).forwardedPrefix(), ",")
		require.Equal(t, test.want, got, "%v", test)
	}
}

// redirecting is a service that redirects each request to /login, with a cookie.
func redirecting(t testing.TB) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/login?prefix="+r.Header.Get(headerForwardedPrefix))
		w.Header().Add("Set-Cookie", "session=1; Path=/")
		w.WriteHeader(http.StatusFound)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAnswersAreRewrittenOnServicesAndSplitsUnlessTheySayNo(t *testing.T) {
	t.Parallel()
	backend := redirecting(t)
	config := serving(Endpoint{ID: "one", Address: addressOf(backend)})
	config.Splits = []Split{authSplit(backend.URL, 0)}
	config.Splits[0].Backends["monolith"] = SplitBackend{URL: backend.URL, ReplacePrefix: "/", Weight: 100}
	region := newRegionServer(t, config)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	check := func(path, location, cookie string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, region.URL+path, nil)
		require.NoError(t, err)
		response, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, location, response.Header.Get("Location"))
		require.Equal(t, []string{cookie}, response.Header["Set-Cookie"])
	}
	check("/orders/x", "/orders/login?prefix=/orders", "session=1; Path=/orders")
	check("/auth/x", "/auth/login?prefix=/auth", "session=1; Path=/auth")

	orders := config.Services["orders"]
	orders.KeepResponses = true
	config.Services["orders"] = orders
	monolith := config.Splits[0].Backends["monolith"]
	monolith.KeepResponses = true
	config.Splits[0].Backends["monolith"] = monolith
	region.apply(t, config)
	check("/orders/x", "/login?prefix=/orders", "session=1; Path=/")
	check("/auth/x", "/login?prefix=/auth", "session=1; Path=/")
}

func TestAServiceThatLeadsElsewhereInThePlatformIsNotKeptFromIt(t *testing.T) {
	t.Parallel()
	const host = "shop.example.com"
	route := func(host, prefix string, methods ...string) *split {
		return &split{host: host, prefix: prefix, methods: methods}
	}
	platform := &table{
		services: map[string]*service{"orders": {}, "billing": {}},
		routes: compileRoutes(map[string]*split{
			"all": route("", "/"), "auth": route("", "/auth/v1", http.MethodPost), "shop": route(host, "/cart"), "other": route("other.example.com", "/help"),
		}),
	}
	own := platform.ofService("orders", newRewriting("/orders", "/", nil))
	split := platform.ofService("orders", newRewriting("/api", "/", nil))
	told := platform.ofService("orders", newRewriting("/api", "/billing", nil))
	for _, test := range []struct {
		name           string
		paths          *responsePaths
		location, want string
	}{
		{"another service", own, "/billing/1?a=b", "/billing/1?a=b"},
		{"another service itself", own, "/billing", "/billing"},
		{"another service, spelled otherwise", own, "/b%69lling/1", "/b%69lling/1"},
		{"another service at the client's host", own, "https://shop.example.com/billing", "https://shop.example.com/billing"},
		{"another service, with dots", own, "/x/../billing", "/x/../billing"},
		{"what only begins like another service", own, "/billings", "/orders/billings"},
		{"a relative path is the service's own", own, "billing/1", "/orders/billing/1"},
		{"a split's route", own, "/auth/v1/login", "/auth/v1/login"},
		{"a path above a split's route", own, "/auth", "/orders/auth"},
		{"a split's route for the client's host", own, "/cart/1", "/cart/1"},
		{"a split's route for another host", own, "/help", "/orders/help"},
		{"only on the route of all paths", own, "/login", "/orders/login"},
		{"another service, from a split", split, "/billing/1", "/billing/1"},
		{"the same service, from a split, is a path like any", split, "/orders/1", "/api/orders/1"},
		{"what a split says that the service sees is the service's own", told, "/billing/1", "/api/1"},
	} {
		header := http.Header{"Location": {test.location}, "Refresh": {"0; url=" + test.location}}
		test.paths.rewrite(header, host, "", "/x")
		require.Equal(t, test.want, header.Get("Location"), test.name)
		require.Equal(t, "0; url="+test.want, header.Get("Refresh"), test.name)
	}
}

package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

func TestTheMostSpecificRouteDecides(t *testing.T) {
	t.Parallel()
	splits := make(map[string]*split)
	for name, route := range map[string]split{
		"any":         {prefix: "/"},
		"auth":        {prefix: "/auth"},
		"auth-post":   {prefix: "/auth", methods: []string{"POST", "PUT"}},
		"login":       {prefix: "/auth/v1/login"},
		"login-post":  {prefix: "/auth/v1/login", methods: []string{"POST"}},
		"host":        {host: "shop.example.com", prefix: "/"},
		"host-orders": {host: "shop.example.com", prefix: "/orders", methods: []string{"GET"}},
		"only-orders": {host: "orders.example.com", prefix: "/orders"},
	} {
		route.name = name
		splits[name] = &route
	}
	routes := compileRoutes(splits)
	for _, test := range []struct{ name, method, host, path, want string }{
		{"the root", "GET", "x", "/", "any"},
		{"another path", "GET", "x", "/other/path", "any"},
		{"the prefix itself", "GET", "x", "/auth", "auth"},
		{"the prefix and a slash", "GET", "x", "/auth/", "auth"},
		{"a path below the prefix", "GET", "x", "/auth/v1", "auth"},
		{"a method comes before none", "POST", "x", "/auth/v1", "auth-post"},
		{"a longer prefix comes before a method", "PUT", "x", "/auth/v1/login/x/y", "login"},
		{"a longer prefix with the method", "POST", "x", "/auth/v1/login", "login-post"},
		{"a segment that only begins alike", "GET", "x", "/authors", "any"},
		{"small letters are other letters", "GET", "x", "/AUTH", "any"},
		{"an escaped letter is the letter", "GET", "x", "/%61uth/v1", "auth"},
		{"an escaped slash is part of a segment", "GET", "x", "/auth%2Fv1", "any"},
		{"an escaped slash behind the prefix", "GET", "x", "/auth/v1%2Flogin", "auth"},
		{"an empty segment", "GET", "x", "//auth", "any"},
		{"an escaped percent sign is not decoded twice", "GET", "x", "/%2561uth", "any"},
		{"a host comes before a longer prefix", "POST", "shop.example.com", "/auth/v1/login", "host"},
		{"a host's own prefix", "GET", "shop.example.com", "/orders/1", "host-orders"},
		{"a method that the host's longer prefix does not take", "POST", "shop.example.com", "/orders/1", "host"},
		{"a host in capitals, with a port", "GET", "Shop.Example.COM:8080", "/x", "host"},
		{"a host with a final dot", "GET", "shop.example.com.", "/x", "host"},
		{"a host below the host is another one", "GET", "a.shop.example.com", "/x", "any"},
		{"a host without a route for the path", "GET", "orders.example.com", "/auth", "auth"},
		{"an IPv6 address", "GET", "[::1]:80", "/auth", "auth"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(test.method, test.path, nil)
			if u, err := url.ParseRequestURI(test.path); err == nil { // NewRequest takes // for a host
				r.URL = u
			}
			r.Host = test.host
			found := routes.find(r)
			require.NotNil(t, found)
			require.Equal(t, test.want, found.name)
		})
	}
	t.Run("what is on no route belongs to the services", func(t *testing.T) {
		t.Parallel()
		few := compileRoutes(map[string]*split{"auth": splits["auth"], "orders": splits["only-orders"]})
		for _, path := range []string{"/", "/orders", "/authors", "*", ""} {
			require.Nil(t, few.find(&http.Request{Method: http.MethodGet, Host: "x", URL: &url.URL{Path: path}}), path)
		}
		require.Nil(t, compileRoutes(nil).find(httptest.NewRequest(http.MethodGet, "/auth", nil)))
	})
}

func TestThePrefixIsReplaced(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ prefix, replacement, base, path, want string }{
		{"/auth", "/", "", "/auth", "/"},
		{"/auth", "/", "", "/auth/", "/"},
		{"/auth", "/", "", "/auth/x/y", "/x/y"},
		{"/auth", "/", "", "/auth//x", "//x"},
		{"/auth", "/", "", "/auth/a%2Fb//c;d", "/a%2Fb//c;d"},
		{"/auth", "/", "", "/%61uth/%7e", "/%7e"},
		{"/auth", "/auth", "", "/auth/x", "/auth/x"},
		{"/auth", "/auth", "", "/%61uth/%7e", "/%61uth/%7e"},
		{"/auth", "/v2/login", "", "/auth", "/v2/login"},
		{"/auth", "/v2/login", "", "/auth/", "/v2/login/"},
		{"/auth", "/v2/login", "", "/auth/a%2Fb", "/v2/login/a%2Fb"},
		{"/api/auth", "/", "", "/api/auth/x", "/x"},
		{"/api/auth", "/", "", "/%61pi/%61uth/%78", "/%78"},
		{"/", "/", "", "/x", "/x"},
		{"/", "/", "", "/", "/"},
		{"/", "/v2", "", "/", "/v2/"},
		{"/", "/v2", "", "/x%20y", "/v2/x%20y"},
		{"/auth", "/auth", "http://m", "/auth/x", "/auth/x"},
		{"/auth", "/auth", "http://m/", "/auth/x", "/auth/x"},
		{"/auth", "/auth", "http://m/legacy", "/auth/x", "/legacy/auth/x"},
		{"/auth", "/", "http://m/legacy/", "/auth", "/legacy"},
		{"/auth", "/", "http://m/legacy/", "/auth/", "/legacy/"},
		{"/auth", "/", "http://m/a%2Fb", "/auth/x%2Fy", "/a%2Fb/x%2Fy"},
		{"/auth", "/", "http://m/a%2Fb", "/auth/x", "/a%2Fb/x"},
		{"/auth", "/", "http://m/a%20b", "/auth/x", "/a%20b/x"},
		{"/auth", "/", "http://m/a%2F//", "/auth/x", "/a%2F/x"},
		{"/auth", `/a"b`, "", "/auth/x", "/a%22b/x"},
	} {
		t.Run(strings.Join([]string{test.prefix, test.replacement, test.base, test.path}, " "), func(t *testing.T) {
			t.Parallel()
			u, err := url.ParseRequestURI(test.path)
			require.NoError(t, err)
			newRewriting(test.prefix, test.replacement, parsed(t, test.base)).apply(u)
			require.Equal(t, test.want, u.EscapedPath())
		})
	}
}

func parsed(t testing.TB, text string) *url.URL {
	if text == "" {
		return nil
	}
	u, err := parseBackendURL(text)
	require.NoError(t, err)
	return u
}

// FuzzRewriting checks that only the prefix changes, whatever the path is: what follows it arrives as it was spelled.
func FuzzRewriting(f *testing.F) {
	for _, path := range []string{"/auth", "/auth/", "/auth/a%2Fb", "/%61uth/%7e//", "/auth/%zz", "/auth/é", "//auth", "/auth/..%2f", "%2Fauth/x"} {
		f.Add(path, "/auth", "/v2", "/a%2Fb")
		f.Add(path, "/", "/", "/a%2F")
	}
	f.Fuzz(func(t *testing.T, path, prefix, replacement, base string) {
		u, err := url.ParseRequestURI(path)
		target, badBase := parseBackendURL("http://m" + base)
		if err != nil || u.Host != "" || badBase != nil || checkPrefix(prefix) != nil || checkPrefix(replacement) != nil {
			return
		}
		routes := compileRoutes(map[string]*split{"s": {name: "s", prefix: prefix}})
		if routes.find(&http.Request{Method: http.MethodGet, URL: u}) == nil {
			return
		}
		before := forward.RawPath(u)
		rewritten := *u
		newRewriting(prefix, replacement, target).apply(&rewritten)
		after := forward.RawPath(&rewritten)
		require.True(t, strings.HasPrefix(after, "/"), after)
		decoded, err := url.PathUnescape(after)
		require.NoError(t, err)
		require.Equal(t, rewritten.Path, decoded, "both spellings say the same")

		rest := before
		for range strings.Count(strings.TrimSuffix(prefix, "/"), "/") {
			_, rest, _ = strings.Cut(rest[1:], "/")
			rest = "/" + rest
		}
		if rest != "/" {
			require.True(t, strings.HasSuffix(after, rest), "%q -> %q lost %q", before, after, rest)
		}
		inFront := strings.TrimRight(target.EscapedPath(), "/")
		require.True(t, strings.HasPrefix(after+"/", inFront+"/"), "%q is not below %q", after, inFront)
	})
}

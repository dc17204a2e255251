package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// targets is a region with nested routes, services of the same names, and replicas that answer with the target they saw.
func targetsRegion(t testing.TB) *regionServer {
	t.Helper()
	backend := func(url string) map[string]SplitBackend {
		return map[string]SplitBackend{"only": {URL: url, ReplacePrefix: "/", Weight: 100}}
	}
	keep := func(url, prefix string) map[string]SplitBackend {
		return map[string]SplitBackend{"only": {URL: url, ReplacePrefix: prefix, Weight: 100}}
	}
	config := Config{
		Services: map[string]Service{"orders": {Deployments: []Deployment{{Name: "v1", Endpoints: []Endpoint{newReplica(t, "orders").endpoint()}}}}},
		Splits: []Split{
			{Name: "plain", Route: synapse.SplitRoute{PathPrefix: "/plain"}, Stable: "only", Backends: keep(newReplica(t, "plain").URL, "/plain")},
			{Name: "admin", Route: synapse.SplitRoute{PathPrefix: "/plain/admin"}, Stable: "only", Backends: keep(newReplica(t, "admin").URL, "/plain/admin")},
			{Name: "cut", Route: synapse.SplitRoute{PathPrefix: "/cut"}, Stable: "only", Backends: backend(newReplica(t, "cut").URL)},
			{Name: "moved", Route: synapse.SplitRoute{PathPrefix: "/orders/old"}, Stable: "only", Backends: keep(newReplica(t, "moved").URL, "/new")},
		},
	}
	return newRegionServer(t, config)
}

// ask sends a target byte for byte.
func askTarget(t testing.TB, address, method, target string) (status int, replica, got string) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer connection.Close()
	_, err = fmt.Fprintf(connection, "%s %s HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n", method, target)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err, "%q", target)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header.Get(HeaderSplit), between(string(content), `"Path":"`, `","Query"`)
}

func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">", `\"`, `"`).Replace(text)
}

func TestTheTargetOfARequestPassesByteForByteOrIsRefused(t *testing.T) {
	t.Parallel()
	region := targetsRegion(t)
	_, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}})
	for _, test := range []struct {
		target string
		status int
		split  string
		seen   string
	}{
		{"/plain/a%2Fb|c", 200, "plain", "/plain/a%2Fb|c"},
		{"/plain/a^b{x}", 200, "plain", "/plain/a^b{x}"},
		{"/plain/%7Bx%7d?a=|&b=%zz;c", 200, "plain", "/plain/%7Bx%7d?a=|&b=%zz;c"},
		{"/%70lain/x", 200, "plain", "/%70lain/x"},
		{"/cut/a%2Fb|c", 200, "cut", "/a%2Fb|c"},
		{"/cut//x", 200, "cut", "//x"},
		{"/cut?", 200, "cut", "/?"},
		{"/cut/a;v=1/b", 200, "cut", "/a;v=1/b"},
		{"/cut/%255Cx", 200, "cut", "/%255Cx"},
		{"/cut/DOMAIN%5Cuser", 200, "cut", "/DOMAIN%5Cuser"},
		{"http://shop.example/cut/a|b?x", 200, "cut", "/a|b?x"},
		{"/orders/a%2Fb|c", 200, "", "/a%2Fb|c"},
		{"/orders//x", 200, "", "//x"},
		{"/orders/old/a%2fb", 200, "moved", "/new/a%2fb"},
		{"/plain/admin%2Fusers|", 400, "", ""},
		{"/plain/admin%5Cusers", 400, "", ""},
		{"/plain/%61dmin%252Fusers", 400, "", ""},
		{"/plain//admin/users", 400, "", ""},
		{"/plain;x/admin", 400, "", ""},
		{"/plain/admin;x/users", 400, "", ""},
		{"/orders/old%2Fx", 400, "", ""},
		{"/orders/../plain/x", 400, "", ""},
		{"/orders/%2e%2e/x", 400, "", ""},
		{"/orders/.%2e;v=1/x", 400, "", ""},
		{"/orders/%252e%252e/x", 400, "", ""},
		{"/orders/..%5Cx", 400, "", ""},
		{`/orders\..\x`, 400, "", ""},
		{"/orders/x#y", 400, "", ""},
		{"/orders/x%00", 400, "", ""},
		{"//plain/x", 400, "", ""},
		{"/orders%2Fx", 404, "", ""},
		{"*", 404, "", ""},
	} {
		for name, address := range map[string]string{"a region": addressOf(region.Server), "the entry": strings.TrimPrefix(url, "http://")} {
			status, split, seen := askTarget(t, address, http.MethodGet, test.target)
			require.Equal(t, test.status, status, "%s: %q", name, test.target)
			require.Equal(t, test.split, split, "%s: %q", name, test.target)
			require.Equal(t, test.seen, seen, "%s: %q", name, test.target)
		}
	}
}

// FuzzTarget checks that the route that decided and the target that the backend saw agree: what was seen ends with the bytes that
// came, and, with the prefix put back in its place, is on the same route.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/plain/a%2Fb|c", "/plain/admin%2Fx", "/cut//x;y", "/orders/%2e./x", "//plain", "/cut/ü?x", "/orders/old/%5c", "*", "http://a/cut/x"} {
		f.Add([]byte(seed))
	}
	region := targetsRegion(f)
	address := addressOf(region.Server)
	prefixes := map[string][2]string{"plain": {"/plain", "/plain"}, "admin": {"/plain/admin", "/plain/admin"}, "cut": {"/cut", ""}, "moved": {"/orders/old", "/new"}, "": {"/orders", ""}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) == 0 || len(raw) > 200 || bytes.ContainsAny(raw, " \t\r\n\v\f\x85\xa0") || bytes.ContainsAny(raw, `"<>&`) || raw[0] != '/' {
			return // it ends the request line, is written otherwise by the replica, or is no path
		}
		target := string(raw)
		status, split, seen := askTarget(t, address, http.MethodGet, target)
		if status != http.StatusOK {
			return
		}
		path, query, _ := strings.Cut(target, "?")
		seenPath, seenQuery, _ := strings.Cut(seen, "?")
		if seen == "" || strings.Contains(seen, `\`) {
			return // the replica's JSON has another spelling for what it saw
		}
		require.Equal(t, query, seenQuery)
		prefix, replaced := prefixes[split][0], prefixes[split][1]
		behind := afterSegments(path, strings.Count(prefix, "/"))
		if prefix == replaced {
			require.Equal(t, path, seenPath)
		} else {
			want := replaced + behind
			if want == "" {
				want = "/"
			}
			require.Equal(t, want, seenPath)
		}
		again, back, _ := askTarget(t, address, http.MethodGet, prefix+behind)
		require.Equal(t, http.StatusOK, again)
		require.Equal(t, split, back, "%q", target)
		for _, reading := range []string{leniently(path)} {
			require.False(t, hasDotSegment(reading), "%q", target)
		}
	})
}

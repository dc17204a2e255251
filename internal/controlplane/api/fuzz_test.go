package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// rawRequest is a request as text, so that everything that can be sent can also be tried.
type rawRequest struct {
	role                    uint8 // which token it carries: none, viewer, operator or admin
	method, target, headers string
	body                    []byte
}

// parse returns the request, or nil for what net/http's server refuses by itself.
func (r rawRequest) parse(s *service) *http.Request {
	text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s", r.method, r.target, len(r.body), r.headers)
	if secret := s.secrets[[]synapse.Role{"", synapse.RoleViewer, synapse.RoleOperator, synapse.RoleAdmin}[r.role%4]]; secret != "" {
		text += "Authorization: Bearer " + secret + "\r\n"
	}
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append([]byte(text+"\r\n"), r.body...))))
	if err != nil || request.Method == http.MethodConnect {
		return nil
	}
	// A wait that is valid would only make the test slow.
	if query := request.URL.Query(); query.Has("wait") {
		if timeout, err := time.ParseDuration(query.Get("timeout")); !query.Has("timeout") || err == nil && timeout > 0 && timeout <= time.Minute {
			query.Set("timeout", "1ms")
			request.URL.RawQuery = query.Encode()
		}
	}
	return request
}

// probe sends a request and checks what holds for every one of them: no fault of the server, a problem document for
// each error, and no change by what was refused or only reads. before and after are all that is in the store.
func probe(t require.TestingT, s *service, before string, raw rawRequest) (after string) {
	request := raw.parse(s)
	if request == nil {
		return before
	}
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	about := fmt.Sprintf("%s %s\n%s\n%q\n→ %d %s", raw.method, raw.target, raw.headers, raw.body, recorder.Code, recorder.Body)

	require.Less(t, recorder.Code, 500, about)
	require.Equal(t, synapse.APIVersion, recorder.Header().Get(synapse.APIVersionHeader), about)
	if recorder.Code >= 400 {
		var p synapse.Problem
		require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &p), about)
		require.Equal(t, "application/problem+json", recorder.Header().Get("Content-Type"), about)
		require.Equal(t, recorder.Code, p.Status, about)
		require.NotEmpty(t, p.Code, about)
		require.NotEmpty(t, p.Title, about)
		for _, field := range p.Errors {
			require.True(t, field.Pointer == "" || field.Pointer[0] == '/', about)
			require.NotEmpty(t, field.Message, about)
		}
	}
	after = snapshotOf(t, s.backend.Store)
	if recorder.Code >= 400 || raw.method == http.MethodGet || raw.method == http.MethodHead {
		require.Equal(t, before, after, about)
	}
	return after
}

// newPopulated is a service with an object of each kind, and one that is being deleted.
func newPopulated(t testing.TB) *service {
	s := newService(t)
	s.region("eu")
	s.service("auth")
	s.tenant("acme", `"isolation":{"compute":"silo"}`)
	s.tenant("gone", `"deletion_protection":false`)
	operator := s.as(synapse.RoleOperator)
	require.Equal(t, 201, operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "v1", `"regions":{"eu":{}}`)).status)
	require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/gone", nil).status)
	return s
}

// operation is a method and path that the API describes.
type operation struct{ method, path string }

// operations reads them from the OpenAPI document.
func operations(t testing.TB, s *service) []operation {
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &document))
	var result []operation
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(document.Paths[path])) {
			result = append(result, operation{strings.ToUpper(method), path})
		}
	}
	require.Greater(t, len(result), 25)
	return result
}

// bodies are drafts and requests of all kinds, good and bad.
func bodies() []string {
	return []string{
		``, `{}`, `[]`, `null`, `{"name":"acme","spec":{}}`, `{"name":"new","spec":{}}`, `{"name":"v1","parent":"auth","spec":{"image":"a:b","regions":{"eu":{}}}}`,
		`{"name":"new","parent":"auth","labels":{"a":"b"},"spec":{"image":"a:b","tenant":"acme","regions":{"eu":{"min_replicas":2,"max_replicas":1}},"rollout":{"min_ready":"1h"}}}`,
		`{"name":"new","spec":{"runtime":"local","local":{"gateway_port":9000,"database_port":9001}}}`,
		`{"name":"eu","spec":{"runtime":"gcp"}}`, `{"name":"new","spec":{"port":8080,"protocol":"http","health_path":"/"}}`,
		`{"name":"new","spec":{"allowed_regions":["eu","us"],"home_region":"eu","allowed_cidrs":["10.0.0.1/8"],"quotas":{"requests_per_second":1e3,"burst":5}}}`,
		`{"name":"acme","spec":{"isolation":{"database":"silo","compute":"pool"},"deletion_protection":false,"offboarding":{"grace_period":"0s"}}}`,
		`{"name":"ci","role":"viewer","ttl":"1h"}`, `{"ttl":"5m"}`, `{"name":"\u0000","spec":{"display_name":"\ud800"}}`, "{\"name\":\"\xff\"}",
		`{"name":"new","spec":{"quotas":{"burst":1.5,"storage_gib":-0.0}}}`, strings.Repeat(`{"spec":`, 2000),
	}
}

func headerLines() []string {
	return []string{
		"", "If-Match: *\r\n", "If-Match: \"1\"\r\n", "If-Match: ,,\r\nContent-Type: application/json\r\n", "Idempotency-Key: k\r\n",
		"Content-Type: text/xml\r\nAccept: text/xml\r\n", "Idempotency-Key: \x80\r\nX-Request-Id: \x01\r\n", "Accept: application/problem+json;q=0\r\n",
	}
}

func queries() []string {
	return []string{
		"", "?dry_run=true", "?wait=ready", "?wait=deleted&timeout=1ms", "?wait=ready&generation=9223372036854775808", "?limit=1&cursor=AAAA",
		"?label=a=b&label=%00=%ff", "?parent=auth", "?timeout=9999999h", "?dry_run=2", "?%zz=1&;", "?limit=-1", "?include_deleting=true&limit=2000",
	}
}

func fill(path, parent, name string) string {
	return strings.NewReplacer("{parent}", parent, "{name}", name, "{id}", name).Replace(path)
}

// FuzzAPI finds requests that break what [probe] checks.
func FuzzAPI(f *testing.F) {
	s := newPopulated(f)
	for i, op := range operations(f, s) {
		for j, name := range []string{"acme", "v1", "gone", "eu", "%00", "../..", strings.Repeat("x", 300)} {
			body, header, query := bodies()[(i*7+j)%len(bodies())], headerLines()[(i+j)%len(headerLines())], queries()[(i*3+j)%len(queries())]
			f.Add(uint8(3), op.method, fill(op.path, "auth", name)+query, header, []byte(body))
		}
		f.Add(uint8(i), op.method, fill(op.path, "auth", "acme"), "", []byte(bodies()[4]))
	}
	f.Add(uint8(0), "BREW", "/", "", []byte{})
	f.Add(uint8(3), "GET", "//v1//tenants/", "", []byte{})
	f.Fuzz(func(t *testing.T, role uint8, method, target, headers string, body []byte) {
		probe(t, s, snapshotOf(t, s.backend.Store), rawRequest{role, method, target, headers, body})
	})
}

// TestGeneratedRequests tries requests that are closer to good ones than a fuzzer's.
func TestGeneratedRequests(t *testing.T) {
	t.Parallel()
	s := newPopulated(t)
	ops := operations(t, s)
	names := rapid.SampledFrom([]string{"acme", "auth", "v1", "eu", "us", "gone", "new", "a", "Bad", "%20", "%00"})
	request := rapid.Custom(func(r *rapid.T) rawRequest {
		op := rapid.SampledFrom(ops).Draw(r, "operation")
		body := rapid.OneOf(rapid.SampledFrom(bodies()), rapid.Map(document(3), encode)).Draw(r, "body")
		return rawRequest{
			role:   rapid.SampledFrom([]uint8{0, 1, 2, 3, 3, 3}).Draw(r, "role"),
			method: op.method, body: []byte(body),
			target:  fill(op.path, names.Draw(r, "parent"), names.Draw(r, "name")) + rapid.SampledFrom(queries()).Draw(r, "query"),
			headers: rapid.SampledFrom(headerLines()).Draw(r, "headers"),
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		content := snapshotOf(r, s.backend.Store)
		for _, raw := range rapid.SliceOfN(request, 30, 30).Draw(r, "requests") {
			content = probe(r, s, content, raw)
		}
	})
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error() // a body like any other
	}
	return string(text)
}

// document generates JSON of the words that drafts are made of.
func document(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.SampledFrom([]any{"acme", "eu", "auth", "new", "pool", "silo", "free", "local", "http", "5m", "-1s", "10.0.0.0/8", "", "A b", "a\x00b", "viewer"}),
		rapid.SampledFrom([]any{nil, true, false, 0, 1, -1, 1.5, 8080, 9000, 1e300, 1 << 53}),
		rapid.Map(rapid.String(), func(text string) any { return text }),
	)
	if depth == 0 {
		return scalar
	}
	keys := rapid.SampledFrom([]string{
		"name", "parent", "labels", "spec", "tier", "isolation", "database", "compute", "home_region", "allowed_regions", "quotas", "burst",
		"requests_per_second", "regions", "eu", "us", "image", "env", "min_replicas", "rollout", "max_surge", "local", "gateway_port", "port",
		"offboarding", "grace_period", "deletion_protection", "role", "ttl", "a/b~c", "",
	})
	inner := rapid.Deferred(func() *rapid.Generator[any] { return document(depth - 1) })
	object := rapid.Map(rapid.MapOfN(keys, inner, 0, 6), func(members map[string]any) any { return members })
	list := rapid.Map(rapid.SliceOfN(inner, 0, 3), func(items []any) any { return items })
	draft := rapid.Custom(func(r *rapid.T) any {
		return map[string]any{
			"name": rapid.SampledFrom([]string{"acme", "auth", "v1", "eu", "new"}).Draw(r, "name"),
			"spec": rapid.MapOfN(keys, inner, 0, 4).Draw(r, "spec"),
		}
	})
	return rapid.OneOf(scalar, object, list, draft)
}

package measure_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
)

// withoutSeries is a server that finds no series of a selector. It has these labels of the metric, and these metrics of synapsed.
func withoutSeries(t *testing.T, labels, metrics []string) *measure.Prometheus {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var data any = map[string]any{"resultType": "vector", "result": []any{}}
		switch {
		case strings.HasSuffix(r.URL.Path, "/api/v1/labels"):
			data = labels
		case strings.Contains(r.URL.Path, "/api/v1/label/__name__/values"):
			data = metrics
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
	}))
	t.Cleanup(server.Close)
	return newPrometheus(t, server.URL)
}

func TestPrometheusTellsWhyThereAreNoSeries(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		labels, metrics []string
		noData          bool
		says            []string
	}{
		"nothing of synapsed is scraped": {nil, nil, false, []string{"no metrics of synapsed", "honor_labels: true", "/metrics"}},
		"the scrape hides the label service": {
			[]string{"__name__", "exported_service", "instance", "job", "service"}, []string{"synapse_gateway_requests_total"}, false,
			[]string{"exported_service", "honor_labels: true"},
		},
		"there are series of other services": {
			[]string{"__name__", "deployment", "instance", "service"}, []string{"synapse_gateway_requests_total"}, true, []string{"auth", "others"},
		},
		"no gateway has had a deployment yet": {nil, []string{"synapse_gateway_in_flight_requests"}, true, []string{"synapse_gateway_requests_total"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := withoutSeries(t, test.labels, test.metrics).Service(t.Context(), "auth", start.Add(-time.Hour), start)
			for _, text := range test.says {
				require.ErrorContains(t, err, text)
			}
			if test.noData {
				require.ErrorIs(t, err, measure.ErrNoData)
				return
			}
			require.NotErrorIs(t, err, measure.ErrNoData)
			var setup *measure.SourceError
			require.ErrorAs(t, err, &setup)
		})
	}
}

func TestPrometheusNeedsTwoSamplesToSayHowMany(t *testing.T) {
	t.Parallel()
	server, _ := answering(t, map[string]string{
		"timestamp(": `{"resultType":"vector","result":[{"metric":{},"value":[1772366400,"1772366345.5"]}]}`,
		"":           `{"resultType":"vector","result":[]}`,
	})
	_, err := newPrometheus(t, server.URL).Service(t.Context(), "auth", start.Add(-time.Minute), start)
	require.ErrorIs(t, err, measure.ErrNoData)
	require.ErrorContains(t, err, "twice as often")
}

// TestWhatIsNoAnswerOfPrometheusIsAnErrorOfTheSource has servers that answer something else than figures, as a login in front, an
// overloaded server, or one with part of the figures do. None of it is "no traffic", and none of it is 0 % bad.
func TestWhatIsNoAnswerOfPrometheusIsAnErrorOfTheSource(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><html><body>Sign in with your password</body></html>"
	const samples = `{"status":"success","data":{"resultType":"vector","result":[`
	for name, test := range map[string]struct {
		status int
		header map[string]string
		body   string
		says   string
	}{
		"a login page with 200":            {200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, page, "a page"},
		"a login page that claims JSON":    {200, map[string]string{"Content-Type": "application/json"}, "\n  " + page, "a page"},
		"a redirect to a login":            {302, map[string]string{"Location": "https://login.example.com/?next=secret"}, "", "redirects to login.example.com"},
		"a redirect that keeps the method": {307, map[string]string{"Location": "/login"}, "", "redirects"},
		"text":                             {200, nil, "it works!", "invalid"},
		"truncated JSON":                   {200, nil, samples + `{"metric":{},"val`, "JSON"},
		"an empty body":                    {200, nil, "", "empty"},
		"no content":                       {204, nil, "", "empty"},
		"JSON of something else":           {200, nil, `{"ok":true}`, "no result"},
		"another status than success":      {200, nil, `{"status":"error","errorType":"execution","error":"too many samples"}`, "too many samples"},
		"a partial answer": {
			200, nil, `{"status":"success","warnings":["partial response: store eu-2 is down"],"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0"]}]}}`,
			"store eu-2 is down",
		},
		"not a number":        {200, nil, samples + `{"metric":{},"value":[1,"NaN"]}]}}`, "NaN"},
		"infinity":            {200, nil, samples + `{"metric":{},"value":[1,"+Inf"]}]}}`, "+Inf"},
		"several samples":     {200, nil, samples + `{"metric":{"a":"b"},"value":[1,"1"]},{"metric":{"a":"c"},"value":[1,"2"]}]}}`, "2 series"},
		"a matrix":            {200, nil, `{"status":"success","data":{"resultType":"matrix","result":[]}}`, "matrix"},
		"a query too large":   {422, nil, `{"status":"error","errorType":"execution","error":"query processing would load too many samples"}`, "too many samples"},
		"a page with 422":     {422, nil, page, "a page"},
		"wrong credentials":   {401, nil, "Unauthorized", "credentials"},
		"no rights":           {403, nil, `{"status":"error","errorType":"x","error":"no"}`, "credentials"},
		"a wrong path":        {404, nil, "404 page not found", "path of --prometheus-url"},
		"too many requests":   {429, nil, "slow down", "429"},
		"an overloaded proxy": {503, nil, "upstream connect error", "503"},
		"a broken gateway":    {502, nil, page, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			t.Cleanup(server.Close)
			source := newPrometheus(t, server.URL)
			_, err := source.Split(t.Context(), backend("new", "eu"), start.Add(-time.Minute), start)
			require.Error(t, err)
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), "secret")
			if test.says != "NaN" && test.says != "+Inf" { // a query's own 0/0 is no figure
				require.NotErrorIs(t, err, measure.ErrNoData)
				_, err = source.Query(t.Context(), "up", start)
				require.Error(t, err)
				require.NotErrorIs(t, err, measure.ErrNoData)
			}
			_, err = source.Hung(t.Context(), backend("new", "eu"), start.Add(-time.Minute), start)
			if name != "several samples" { // sum() gives one
				require.Error(t, err)
			}
		})
	}
}

func TestNotesOnAQuerysStyleDoNotMakeItsAnswerWrong(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"success","warnings":["PromQL info: metric might not be a counter"],"infos":["x"],"data":{"resultType":"scalar","result":[1,"1"]}}`)
	}))
	t.Cleanup(server.Close)
	value, err := newPrometheus(t, server.URL).Query(t.Context(), "1", start)
	require.NoError(t, err)
	require.Equal(t, 1.0, value)
}

func TestASlowPrometheusIsAnErrorOfTheSource(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	source, err := measure.NewPrometheus(measure.PrometheusOptions{URL: server.URL, Timeout: 20 * time.Millisecond})
	require.NoError(t, err)
	_, err = source.Query(t.Context(), "up", start)
	require.ErrorContains(t, err, "exceeded")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, measure.ErrNoData)
}

// seenBy runs a server that notes the requests, and answers each query with 1.
func seenBy(t *testing.T, start func(http.Handler) *httptest.Server) (server *httptest.Server, seen func() []*http.Request) {
	t.Helper()
	var requests []*http.Request
	server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r)
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`)
	}))
	t.Cleanup(server.Close)
	return server, func() []*http.Request { return requests }
}

// file writes a file and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestPrometheusGetsTheTokenOfTheFile(t *testing.T) {
	t.Parallel()
	server, seen := seenBy(t, httptest.NewServer)
	elsewhere, seenElsewhere := seenBy(t, httptest.NewServer)
	token := file(t, "first\n")
	source, err := measure.NewPrometheus(measure.PrometheusOptions{URL: server.URL, TokenFile: token})
	require.NoError(t, err)
	for _, text := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(token, []byte(text+"\n"), 0o600))
		_, err := source.Query(t.Context(), "1", start)
		require.NoError(t, err)
		require.Equal(t, "Bearer "+text, seen()[len(seen())-1].Header.Get("Authorization"))
	}
	require.NoError(t, os.Remove(token))
	_, err = source.Query(t.Context(), "1", start)
	require.ErrorContains(t, err, token)

	redirecting := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirecting.Close)
	source, err = measure.NewPrometheus(measure.PrometheusOptions{URL: redirecting.URL, TokenFile: file(t, "third")})
	require.NoError(t, err)
	_, err = source.Query(t.Context(), "1", start)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "third")
	require.Empty(t, seenElsewhere(), "a redirect does not get the token")
}

func TestPrometheusGetsCredentialsAndHeadersOverTLS(t *testing.T) {
	t.Parallel()
	server, seen := seenBy(t, httptest.NewTLSServer)
	authority := file(t, certificateOf(server))
	options := measure.PrometheusOptions{
		URL: server.URL, Username: "grafana", PasswordFile: file(t, "hunter2\n"), CAFile: authority,
		Headers: map[string]string{"X-Scope-OrgID": "team-a"}, HeaderFiles: map[string]string{"X-Api-Key": file(t, "opensesame\n")},
	}
	source, err := measure.NewPrometheus(options)
	require.NoError(t, err)
	_, err = source.Query(t.Context(), "1", start)
	require.NoError(t, err)
	user, password, _ := seen()[0].BasicAuth()
	require.Equal(t, []string{"grafana", "hunter2", "team-a", "opensesame"},
		[]string{user, password, seen()[0].Header.Get("X-Scope-OrgID"), seen()[0].Header.Get("X-Api-Key")})

	options.CAFile = ""
	source, err = measure.NewPrometheus(options)
	require.NoError(t, err)
	_, err = source.Query(t.Context(), "1", start)
	require.ErrorContains(t, err, "certificate", "an authority that nobody named is not trusted")
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "opensesame")
}

func TestPrometheusOptionsAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	const address, secure = "http://127.0.0.1:9090", "https://127.0.0.1:9090"
	for name, test := range map[string]struct {
		options measure.PrometheusOptions
		says    string
	}{
		"no scheme":                    {measure.PrometheusOptions{URL: "127.0.0.1:9090"}, "--prometheus-url"},
		"another scheme":               {measure.PrometheusOptions{URL: "ftp://host"}, "http://"},
		"no host":                      {measure.PrometheusOptions{URL: "http://"}, "a host"},
		"a password in the URL":        {measure.PrometheusOptions{URL: "http://user:hunter2@host"}, "--prometheus-password-file"},
		"no URL":                       {measure.PrometheusOptions{URL: "http://hunter2@\x7f"}, "does not parse"},
		"a query in the URL":           {measure.PrometheusOptions{URL: address + "/?token=hunter2"}, "query"},
		"no token file":                {measure.PrometheusOptions{URL: address, TokenFile: missing}, "--prometheus-token-file"},
		"an empty token file":          {measure.PrometheusOptions{URL: address, TokenFile: file(t, " \n")}, "is empty"},
		"two lines in the token file":  {measure.PrometheusOptions{URL: address, TokenFile: file(t, "hunter2\nhunter2")}, "several lines"},
		"a token and a user":           {measure.PrometheusOptions{URL: address, TokenFile: file(t, "a"), Username: "u", PasswordFile: file(t, "b")}, "one of them"},
		"a user without a password":    {measure.PrometheusOptions{URL: address, Username: "u"}, "--prometheus-password-file"},
		"a password without a user":    {measure.PrometheusOptions{URL: address, PasswordFile: file(t, "hunter2")}, "--prometheus-username"},
		"a user with a colon":          {measure.PrometheusOptions{URL: address, Username: "u:v", PasswordFile: file(t, "b")}, "colon"},
		"no password file":             {measure.PrometheusOptions{URL: address, Username: "u", PasswordFile: missing}, "--prometheus-password-file"},
		"an authority without TLS":     {measure.PrometheusOptions{URL: address, CAFile: file(t, "x")}, "https://"},
		"an authority that is no PEM":  {measure.PrometheusOptions{URL: secure, CAFile: file(t, "x")}, "--prometheus-ca-file"},
		"no authority file":            {measure.PrometheusOptions{URL: secure, CAFile: missing}, "--prometheus-ca-file"},
		"a header that is none":        {measure.PrometheusOptions{URL: address, Headers: map[string]string{"a b": "c"}}, "not a header's name"},
		"a value of two lines":         {measure.PrometheusOptions{URL: address, Headers: map[string]string{"X-A": "a\r\nb"}}, "control characters"},
		"an empty value":               {measure.PrometheusOptions{URL: address, Headers: map[string]string{"X-A": ""}}, "empty"},
		"a secret in a header":         {measure.PrometheusOptions{URL: address, Headers: map[string]string{"cookie": "hunter2"}}, "--prometheus-header-file"},
		"an Authorization in a header": {measure.PrometheusOptions{URL: address, Headers: map[string]string{"authorization": "hunter2"}}, "--prometheus-token-file"},
		"a header of the client's":     {measure.PrometheusOptions{URL: address, Headers: map[string]string{"Content-Length": "1"}}, "client itself"},
		"no header file":               {measure.PrometheusOptions{URL: address, HeaderFiles: map[string]string{"X-A": missing}}, "--prometheus-header-file X-A"},
		"a header twice":               {measure.PrometheusOptions{URL: address, Headers: map[string]string{"x-a": "b"}, HeaderFiles: map[string]string{"X-A": file(t, "c")}}, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := measure.NewPrometheus(test.options)
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

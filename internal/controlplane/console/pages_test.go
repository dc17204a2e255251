package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestEveryAnswerForbidsScriptsFramesAndStorage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	session := f.signIn(viewerSecret)
	for _, path := range append(pagePaths(), "/console/sign-in", "/console/nothing") {
		answer := f.do(http.MethodGet, path, session, nil)
		policy := answer.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'", path)
		require.Contains(t, policy, "frame-ancestors 'none'", path)
		require.NotContains(t, policy, "unsafe", path)
		require.NotContains(t, policy, "script-src", path)
		require.Equal(t, "no-store", answer.Header().Get("Cache-Control"), path)
		require.Equal(t, "nosniff", answer.Header().Get("X-Content-Type-Options"), path)
		require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"), path)
		body := answer.Body.String()
		require.NotContains(t, body, "<script", path)
		require.NotContains(t, body, " style=", path)
		require.NotRegexp(t, `\son[a-z]+="`, body, path)
		require.NotContains(t, body, "NaN", path)
	}
}

func TestPagesSayWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	for path, words := range map[string][]string{
		"/console/":                         {"staging", "1.2.3", "1 not ready", "/console/tenants/initech", "the schema is being made", "/console/splits/auth"},
		"/console/regions":                  {"/console/regions/eu", "http://127.0.0.1:9000", "primary"},
		"/console/regions/us":               {"standby", "healthy"},
		"/console/tenants":                  {"/console/tenants/acme", "enterprise", "plan=gold"},
		"/console/tenants/acme":             {"ACME", "tenant_acme", "/console/regions/eu", "no limit"},
		"/console/deployments":              {"/console/deployments/auth/v2", "r1a2b3c4d", "1 of 2", "passes its health check"},
		"/console/deployments?service=none": {"There are no deployments."},
		"/console/deployments/auth/v2":      {"127.0.0.1:8081/auth:v2", "all tenants"},
		"/console/slos":                     {"/console/slos/auth-latency", "within 50ms", "99 %"},
		"/console/failover-policies":        {"/console/failover-policies/shop", "preferred: eu", "Not ready", "failover from eu to us"},
		"/console/failover-policies/shop": {"Does not hold", "the standby is 14s behind", "us would take over", "Under way", "promote database",
			"running", "the gateway of eu fails", "failback from us to eu", "drill lose-eu-now"},
		"/console/dr-drills":                      {"/console/dr-drills/lose-eu", "fresh", "region loss of eu", "3.412s", "under way", "/console/dr-drill-runs/lose-us-1"},
		"/console/dr-drills/lose-eu":              {"passed 10 min ago", "by ann, until", "0 3 * * sun", "/console/dr-drill-runs/lose-eu-now", "by kill"},
		"/console/dr-drill-runs/lose-eu-now":      {"Running", "steady state", "unfreeze splits", "running", "pending", "None of the requests was bad yet"},
		"/console/dr-drill-runs/lose-eu-20260304": {"passed", "3.412s", "148ms", "3 of", "<path", "9 processes of eu were killed", "report.json", "report.md", "Met", "--verify"},
		"/console/dr-drill-runs/lose-us-1":        {"destroyed since", "refused", "not measured", "the report was changed"},
		"/console/slos/auth-availability":         {"name: synapse-slo-auth-availability", "a complete response that is not a server error"},
		"/console/splits":                         {"/console/splits/auth", "shop.example.com/login", "step 3 of 5, wave 1 of 2", "monolith 75 %, service 25 %"},
		"/console/splits/auth": {"Analysing", "candidate 0.2 % errors over 1,312 requests, limit 1 %, stable 0.1 %", "the weight is held",
			"<polyline", "limit 1 %", "threshold of auth-latency", "/console/deployments/auth/v2", "1 %, and stable + 0.5 %"},
	} {
		body := f.page(path)
		for _, word := range words {
			require.Contains(t, body, word, path)
		}
	}
}

func TestLinksOnPagesLeadToPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	session := f.signIn(viewerSecret)
	link := regexp.MustCompile(`(?:href|src)="([^"#]+)`)
	seen := map[string]bool{}
	for queue := []string{"/console/"}; len(queue) > 0; queue = queue[1:] {
		target := html.UnescapeString(queue[0])
		if seen[target] {
			continue
		}
		seen[target] = true
		answer := f.do(http.MethodGet, target, session, nil)
		require.Equal(t, http.StatusOK, answer.Code, target)
		for _, match := range link.FindAllStringSubmatch(answer.Body.String(), -1) {
			require.True(t, strings.HasPrefix(match[1], "/console/"), "%s leads out of the console to %s", target, match[1])
			queue = append(queue, match[1])
		}
	}
	for _, path := range pagePaths() {
		require.True(t, seen[path], "no link leads to %s", path)
	}
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>' </title></svg>`

func TestHostileTextIsShownAndNeverBecomesMarkup(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var status synapse.Status
	status.Set(1, synapse.PhaseFailed, "Bad", hostile, f.clock())
	labels := map[string]string{"note": hostile}
	add(f, synapse.KindRegion, "", "eu", labels, synapse.RegionSpec{}, synapse.RegionStatus{Status: status, GatewayURL: hostile})
	add(f, synapse.KindTenant, "", "acme", labels, synapse.TenantSpec{DisplayName: hostile}, synapse.TenantStatus{Status: status, Database: hostile})
	add(f, synapse.KindServiceDeployment, "auth", "v1", labels, synapse.DeploymentSpec{Image: hostile, Tenant: hostile}, synapse.DeploymentStatus{
		Status: status, Regions: map[string]synapse.DeploymentRegionStatus{hostile: {Message: hostile, Revision: hostile}}})
	add(f, synapse.KindSLO, "", "slo", labels, synapse.SLOSpec{Service: hostile, Threshold: hostile}, synapse.SLOStatus{Status: status, RulesYAML: hostile})
	decision := synapse.SplitDecision{Time: f.clock(), Action: hostile, Message: hostile, By: hostile, Revision: hostile,
		Weights: map[string]int{hostile: 100}, Checks: []synapse.SplitCheckResult{{Check: hostile, Problem: hostile}}}
	add(f, synapse.KindTrafficSplit, "", "split", labels, synapse.TrafficSplitSpec{
		Route:    synapse.SplitRoute{Host: hostile, PathPrefix: hostile, Methods: []string{hostile}},
		Backends: map[string]synapse.SplitBackend{hostile: {Role: synapse.RoleStable, URL: hostile}},
	}, synapse.TrafficSplitStatus{Status: status, History: []synapse.SplitDecision{decision}, State: synapse.SplitState{
		Phase: synapse.SplitPaused, Message: hostile, Weights: map[string]int{hostile: 100}, LastDecision: &decision}})
	f.series["split"] = []measure.BackendSeries{{Backend: hostile, Points: []measure.Point{{Time: f.clock(), RequestsPerSecond: 1}}}}

	for _, path := range []string{
		"/console/", "/console/regions", "/console/regions/eu", "/console/tenants", "/console/tenants/acme", "/console/deployments",
		"/console/deployments/auth/v1", "/console/slos", "/console/slos/slo", "/console/splits", "/console/splits/split",
		"/console/tenants?search=" + url.QueryEscape(hostile), "/console/deployments?service=" + url.QueryEscape(hostile),
	} {
		requireHarmless(t, path, f.page(path))
	}
}

// requireHarmless checks that a page shows the hostile text, and that it is text.
func requireHarmless(t *testing.T, path, body string) {
	t.Helper()
	require.Contains(t, body, "alert(1)", "%s shows the text", path)
	document, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	for node := range document.Descendants() {
		require.NotEqual(t, "script", node.Data, path)
		for _, attribute := range node.Attr {
			require.False(t, strings.HasPrefix(attribute.Key, "on"), "%s: %s", path, attribute.Key)
			require.False(t, strings.HasPrefix(attribute.Val, "javascript:"), path)
		}
		if node.Type == html.ElementNode && node.Data == "img" {
			require.Len(t, node.Attr, 4, "%s: an image that is not ours", path)
		}
	}
}

func TestTenantsComeInPagesThatTogetherHoldEachOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 250 {
		add(f, synapse.KindTenant, "", fmt.Sprintf("tenant-%03d", i), map[string]string{"even": fmt.Sprint(i%2 == 0)},
			synapse.TenantSpec{}, synapse.TenantStatus{Status: ready(f)})
	}
	session := f.signIn(viewerSecret)
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	name := regexp.MustCompile(`href="/console/tenants/([^"]+)"`)
	for start, want := range map[string]struct{ tenants, pages int }{
		"/console/tenants":                  {250, 3},
		"/console/tenants?search=even=true": {125, 2},
		"/console/tenants?search=tenant-00": {10, 1},
		"/console/tenants?search=tenant-2":  {50, 1},
		"/console/tenants?search=nobody":    {0, 1},
	} {
		seen, pages := map[string]bool{}, 0
		for target := start; target != ""; pages++ {
			answer := f.do(http.MethodGet, target, session, nil)
			require.Equal(t, http.StatusOK, answer.Code)
			for _, match := range name.FindAllStringSubmatch(answer.Body.String(), -1) {
				require.False(t, seen[match[1]], "%s is there twice", match[1])
				seen[match[1]] = true
			}
			target = ""
			if match := next.FindStringSubmatch(answer.Body.String()); match != nil {
				target = html.UnescapeString(match[1])
			}
		}
		require.Len(t, seen, want.tenants, start)
		require.Equal(t, want.pages, pages, start)
	}
	body := f.do(http.MethodGet, "/console/tenants?search=tenant-", session, nil).Body.String()
	require.Len(t, name.FindAllString(body, -1), 100)
	require.Contains(t, body, "More names begin like this.")
}

func TestWhatThereIsNotIsSaidInTheConsolesOwnStyle(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	session := f.signIn(viewerSecret)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/console/nothing", http.StatusNotFound},
		{http.MethodGet, "/console/tenants/", http.StatusNotFound},
		{http.MethodGet, "/console/tenants/unknown", http.StatusNotFound},
		{http.MethodGet, "/console/tenants/%00", http.StatusNotFound},
		{http.MethodGet, "/console/deployments/unknown/v1", http.StatusNotFound},
		{http.MethodGet, "/console/splits/unknown", http.StatusNotFound},
		{http.MethodGet, "/console/static/unknown.css", http.StatusNotFound},
		{http.MethodGet, "/console/static/..%2fconsole.go", http.StatusNotFound},
		{http.MethodGet, "/console/tenants?from=rubbish", http.StatusBadRequest},
		{http.MethodPost, "/console/tenants", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/console/tenants/acme", http.StatusMethodNotAllowed},
		{http.MethodGet, "/console/sign-out", http.StatusNotFound},
	} {
		answer := f.do(c.method, c.path, session, nil)
		require.Equal(t, c.status, answer.Code, "%s %s", c.method, c.path)
		require.Contains(t, answer.Body.String(), `<p class="status">`+fmt.Sprint(c.status), "%s %s", c.method, c.path)
		require.Contains(t, answer.Body.String(), `aria-label="Pages"`, "%s %s has the navigation", c.method, c.path)
	}
}

func TestAStoreThatFailsIsLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	session := f.signIn(viewerSecret)
	err := f.store.Write(t.Context(), func(tx store.Tx) error {
		_, err := tx.Insert(t.Context(), store.Record{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: "broken", UID: "u"},
			Spec: []byte(`{"tier": 1}`), Status: []byte(`{"phase": 1}`)})
		return err
	})
	require.NoError(t, err)
	for _, path := range []string{"/console/", "/console/tenants", "/console/tenants/broken", "/console/tenants?search=bro"} {
		answer := f.do(http.MethodGet, path, session, nil)
		require.Equal(t, http.StatusInternalServerError, answer.Code, path)
		require.NotContains(t, answer.Body.String(), "unmarshal", path)
	}
	require.Contains(t, f.log.String(), "unmarshal")
}

func TestTheOverviewCountsAnewAfterAFewSeconds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	require.NotContains(t, f.page("/console/"), "broken-region")
	var status synapse.Status
	status.Set(1, synapse.PhaseFailed, "Failed", "the gateway does not start", f.clock())
	add(f, synapse.KindRegion, "", "broken-region", nil, synapse.RegionSpec{}, synapse.RegionStatus{Status: status})
	f.advance(4 * time.Second)
	require.Contains(t, f.page("/console/"), "broken-region")
}

func TestHeadAnswersLikeGet(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	session := f.signIn(viewerSecret)
	for _, path := range pagePaths() {
		require.Equal(t, http.StatusOK, f.do(http.MethodHead, path, session, nil).Code, path)
	}
	require.Equal(t, http.StatusNotFound, f.do(http.MethodHead, "/console/nothing", session, nil).Code)
}

func TestLivePagesReloadUntilToldNotTo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	toggle := regexp.MustCompile(`href="([^"]+)" id="toggle"`)
	body := f.page("/console/splits/auth?range=1h0m0s")
	require.Contains(t, body, `http-equiv="refresh"`)
	off := html.UnescapeString(toggle.FindStringSubmatch(body)[1])
	body = f.page(off)
	require.NotContains(t, body, `http-equiv="refresh"`)
	require.Equal(t, "/console/splits/auth?range=1h0m0s", toggle.FindStringSubmatch(body)[1])
	require.NotContains(t, f.page("/console/tenants"), `http-equiv="refresh"`, "a search is not taken away from its reader")
}

func TestTheStyleSheetIsServedToStrangersAndRevalidated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"console.css", "icon.svg"} {
		answer := f.do(http.MethodGet, "/console/static/"+name, "", nil)
		require.Equal(t, http.StatusOK, answer.Code)
		tag := answer.Header().Get("ETag")
		require.NotEmpty(t, tag)
		require.Equal(t, "no-cache", answer.Header().Get("Cache-Control"))
		require.Equal(t, http.StatusNotModified, f.do(http.MethodGet, "/console/static/"+name, "", nil, "If-None-Match", tag).Code)
	}
}

func TestASplitWithLongHistoryShowsTheNewestAndThenAll(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var history []synapse.SplitDecision
	for i := range synapse.MaxSplitHistory {
		history = append(history, synapse.SplitDecision{Time: f.clock().Add(time.Duration(i-200) * time.Hour), Action: synapse.ActionHold,
			Message: fmt.Sprintf("decision-%03d", i+1)})
	}
	add(f, synapse.KindTrafficSplit, "", "long", nil, synapse.TrafficSplitSpec{}, synapse.TrafficSplitStatus{History: history})
	body := f.page("/console/splits/long")
	require.Contains(t, body, "decision-200")
	require.NotContains(t, body, "decision-180")
	require.Contains(t, body, "180 earlier decisions")
	body = f.page("/console/splits/long?history=all")
	require.Contains(t, body, "decision-001")
	require.Less(t, strings.Index(body, "decision-200"), strings.Index(body, "decision-001"), "the newest first")
}

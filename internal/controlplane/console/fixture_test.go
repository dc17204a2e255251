package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/console"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store/storetest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const viewerSecret = "synapse_VIEWER"

// fixture is a console over a store of its own.
type fixture struct {
	t       testing.TB
	store   store.Store
	handler http.Handler
	log     *lockedBuilder

	mu     sync.Mutex
	now    time.Time
	tokens map[string]synapse.Token
	series map[string][]measure.BackendSeries
}

// lockedBuilder collects what is logged.
type lockedBuilder struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newFixture(t testing.TB, change ...func(*console.Options)) *fixture {
	f := &fixture{
		t: t, store: storetest.Open(t, filepath.Join(t.TempDir(), "store.db")), log: &lockedBuilder{},
		now:    time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC),
		tokens: map[string]synapse.Token{viewerSecret: {Name: "reader", Role: synapse.RoleViewer}},
		series: map[string][]measure.BackendSeries{},
	}
	options := console.Options{
		Reader: f.store, Now: f.clock, Log: slog.New(slog.NewTextHandler(f.log, nil)),
		Authenticate: func(_ context.Context, secret string) (synapse.Token, bool) {
			f.mu.Lock()
			defer f.mu.Unlock()
			token, ok := f.tokens[secret]
			return token, ok
		},
		Series: func(split string, _ time.Time) []measure.BackendSeries {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.series[split]
		},
		Platform: func(context.Context) synapse.Platform {
			return synapse.Platform{Version: "1.2.3", Environment: "staging", EntryURL: "http://127.0.0.1:8080",
				DatabaseEndpoint: "127.0.0.1:5432", Registry: "127.0.0.1:8081"}
		},
	}
	for _, apply := range change {
		apply(&options)
	}
	handler, err := console.New(options)
	require.NoError(t, err)
	f.handler = handler
	return f
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *fixture) setToken(secret string, token *synapse.Token) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if token == nil {
		delete(f.tokens, secret)
		return
	}
	f.tokens[secret] = *token
}

// do sends a request with a cookie of a session, if there is one.
func (f *fixture) do(method, target, session string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(f.t.Context(), method, target, strings.NewReader(form.Encode()))
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if session != "" {
		request.AddCookie(&http.Cookie{Name: "synapse_console", Value: session})
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	f.handler.ServeHTTP(recorder, request)
	return recorder
}

// signIn begins a session.
func (f *fixture) signIn(secret string) string {
	answer := f.do(http.MethodPost, "/console/sign-in", "", url.Values{"token": {secret}})
	require.Equal(f.t, http.StatusSeeOther, answer.Code, answer.Body.String())
	cookies := answer.Result().Cookies()
	require.Len(f.t, cookies, 1)
	return cookies[0].Value
}

// page returns a page as somebody sees it who is signed in.
func (f *fixture) page(target string) string {
	answer := f.do(http.MethodGet, target, f.signIn(viewerSecret), nil)
	require.Equal(f.t, http.StatusOK, answer.Code, answer.Body.String())
	return answer.Body.String()
}

// add stores an object.
func add[S, T any](f *fixture, kind synapse.Kind, parent, name string, labels map[string]string, spec S, status T) {
	record, err := object.Encode(synapse.Object[S, T]{
		Meta: synapse.Meta{Kind: kind, Parent: parent, Name: name, UID: "uid-" + name, Generation: 1, Labels: labels,
			CreatedAt: f.clock().Add(-time.Hour), UpdatedAt: f.clock().Add(-time.Minute)},
		Spec: spec, Status: status,
	}, nil)
	require.NoError(f.t, err)
	err = f.store.Write(f.t.Context(), func(tx store.Tx) error {
		_, err := tx.Insert(f.t.Context(), record)
		return err
	})
	require.NoError(f.t, err)
}

func ready(f *fixture) synapse.Status {
	var s synapse.Status
	s.Set(1, synapse.PhaseReady, "Ready", "", f.clock().Add(-time.Minute))
	return s
}

// populate stores a migration under way and what belongs to it.
func (f *fixture) populate() {
	for i, name := range []string{"eu", "us"} {
		role := synapse.DatabasePrimary
		if i > 0 {
			role = synapse.DatabaseStandby
		}
		add(f, synapse.KindRegion, "", name, nil, synapse.RegionSpec{Runtime: synapse.RuntimeLocal}, synapse.RegionStatus{
			Status: ready(f), Health: "healthy", DatabaseRole: role, GatewayURL: fmt.Sprintf("http://127.0.0.1:%d", 9000+i)})
	}
	add(f, synapse.KindService, "", "auth", nil, synapse.ServiceSpec{Port: 8080, Owner: "identity"}, synapse.ServiceStatus{Status: ready(f)})
	add(f, synapse.KindServiceDeployment, "auth", "v2", map[string]string{"team": "identity"},
		synapse.DeploymentSpec{Image: "127.0.0.1:8081/auth:v2", Regions: map[string]synapse.DeploymentRegion{"eu": {}, "us": {}}},
		synapse.DeploymentStatus{Status: ready(f), ImageDigest: "sha256:" + strings.Repeat("ab", 32), DesiredRevision: "r1a2b3c4d",
			LiveRevision: "r1a2b3c4d", Regions: map[string]synapse.DeploymentRegionStatus{
				"eu": {Revision: "r1a2b3c4d", Replicas: 2, Ready: 2, Phase: synapse.PhaseReady},
				"us": {Revision: "r1a2b3c4d", Replicas: 2, Ready: 1, Phase: synapse.PhaseProgressing, Message: "1 of 2 replicas passes its health check"},
			}})
	for _, name := range []string{"acme", "globex", "initech"} {
		status := synapse.TenantStatus{Status: ready(f), Database: "synapse", Schema: "tenant_" + name,
			Endpoints: map[string]string{"eu": "http://127.0.0.1:9000"}}
		if name == "initech" {
			status.Set(1, synapse.PhaseProgressing, "Waiting", "the schema is being made in region eu", f.clock())
		}
		add(f, synapse.KindTenant, "", name, map[string]string{"plan": "gold"}, synapse.TenantSpec{DisplayName: strings.ToUpper(name),
			Tier: synapse.TierEnterprise, HomeRegion: "eu", State: synapse.TenantActive,
			Isolation: synapse.TenantIsolation{Database: synapse.DatabaseBridge, Compute: synapse.ComputePool}}, status)
	}
	add(f, synapse.KindSLO, "", "auth-availability", nil,
		synapse.SLOSpec{Service: "auth", SLI: synapse.SLIRatio, Objective: 99, Window: "720h"},
		synapse.SLOStatus{Status: ready(f), RulesYAML: "groups:\n  - name: synapse-slo-auth-availability\n    rules: []\n"})
	add(f, synapse.KindSLO, "", "auth-latency", nil,
		synapse.SLOSpec{Service: "auth", SLI: synapse.SLILatency, Objective: 99, Threshold: "50ms", Window: "720h"},
		synapse.SLOStatus{Status: ready(f)})
	f.addSplit()
	f.addDrills()
}

// addSplit stores the split auth: at 25 %, after three steps that went well.
func (f *fixture) addSplit() {
	state, history := f.splitState()
	add(f, synapse.KindTrafficSplit, "", "auth", map[string]string{"team": "identity"}, synapse.TrafficSplitSpec{
		Route: synapse.SplitRoute{Host: "shop.example.com", PathPrefix: "/login"},
		Backends: map[string]synapse.SplitBackend{
			"monolith": {Role: synapse.RoleStable, URL: "http://127.0.0.1:7000"},
			"service":  {Role: synapse.RoleCandidate, Deployment: "auth/v2"},
		},
		Progression: &synapse.Progression{Revision: "2026-03-04",
			Steps: []synapse.SplitStep{{Weight: 1, Hold: "2m", Gate: synapse.GateAuto}, {Weight: 5, Hold: "5m", Gate: synapse.GateAuto},
				{Weight: 25, Hold: "10m", Gate: synapse.GateAuto}, {Weight: 50, Hold: "10m", Gate: synapse.GateManual}, {Weight: 100, Hold: "1h", Gate: synapse.GateAuto}},
			Waves:    []synapse.SplitWave{{Regions: []string{"eu"}, Soak: "10m"}, {Regions: []string{"us"}, Soak: "0s"}},
			Analysis: synapse.SplitAnalysis{Interval: "1m", MinRequests: 100, Checks: []synapse.SplitCheck{{SLO: "auth-availability"}, {SLO: "auth-latency"}}},
		},
	}, synapse.TrafficSplitStatus{Status: ready(f), State: state, History: history})
	f.series["auth"] = f.traffic()
}

func (f *fixture) splitState() (synapse.SplitState, []synapse.SplitDecision) {
	at := func(minutes int) time.Time { return f.clock().Add(time.Duration(minutes) * time.Minute) }
	weights := func(candidate int) map[string]int {
		return map[string]int{"monolith": 100 - candidate, "service": candidate}
	}
	checks := []synapse.SplitCheckResult{
		{Check: "SLO auth-availability", Candidate: new(0.2), Stable: new(0.1), Max: new(1.0), Baseline: new(0.5), Percent: true, Requests: 1312},
		{Check: "SLO auth-latency", Candidate: new(0.0), Max: new(1.0), Percent: true, Requests: 1312},
	}
	history := []synapse.SplitDecision{
		{Time: at(-14), Action: synapse.ActionStart, Phase: synapse.SplitPreflight, Revision: "2026-03-04", Weights: weights(0), Message: "revision 2026-03-04 begins"},
		{Time: at(-13), Action: synapse.ActionShift, Phase: synapse.SplitShifting, Revision: "2026-03-04", Weights: weights(1), Message: "to 1 %: all backends are ready"},
		{Time: at(-9), Action: synapse.ActionShift, Phase: synapse.SplitShifting, Revision: "2026-03-04", Step: 1, Weights: weights(5),
			Message: "to 5 %: candidate 0.2 % errors over 312 requests, limit 1 %, stable 0.1 %", Checks: checks},
		{Time: at(-4), Action: synapse.ActionShift, Phase: synapse.SplitShifting, Revision: "2026-03-04", Step: 2, Weights: weights(25),
			Message: "to 25 %: candidate 0.2 % errors over 1,312 requests, limit 1 %, stable 0.1 %", Checks: checks},
	}
	return synapse.SplitState{
		Phase: synapse.SplitAnalysing, Revision: "2026-03-04", Step: 2, Weights: weights(25), Stable: "monolith", Candidate: "service",
		RegionWeights: map[string]map[string]int{"eu": weights(25), "us": weights(0), synapse.OtherRegions: weights(0)},
		PhaseSince:    at(-4), StepSince: at(-4), LastAnalysis: at(-1), Message: "the weight is held for 6 more minutes", LastDecision: &history[3],
	}, history
}

// traffic is what the gateways saw: growing traffic at the service, a gap, and a few errors.
func (f *fixture) traffic() []measure.BackendSeries {
	monolith, service := measure.BackendSeries{Backend: "monolith"}, measure.BackendSeries{Backend: "service"}
	for second := -15 * 60; second <= 0; second += 5 {
		at, wave := f.clock().Add(time.Duration(second)*time.Second), math.Sin(float64(second)/40)
		share := 0.0
		switch {
		case second > -240:
			share = 0.25
		case second > -540:
			share = 0.05
		case second > -780:
			share = 0.01
		}
		total := 420 + 25*wave
		monolith.Points = append(monolith.Points, measure.Point{Time: at, RequestsPerSecond: total * (1 - share),
			ErrorPercent: 0.1 + 0.05*wave, P50: 11 + wave, P95: 38 + 6*wave})
		if share > 0 && (second < -400 || second > -340) {
			service.Points = append(service.Points, measure.Point{Time: at, RequestsPerSecond: total * share,
				ErrorPercent: max(0, 0.5*math.Sin(float64(second)/17)), P50: 6, P95: 19 + 4*math.Cos(float64(second)/13)})
		}
	}
	return []measure.BackendSeries{monolith, service}
}

package measure_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/prometheustest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// scrapeInterval of the real Prometheus server.
const scrapeInterval = 200 * time.Millisecond

// startPrometheus runs a Prometheus server that scrapes target, until the test ends, and returns its URL.
func startPrometheus(t *testing.T, target, rules string) string {
	t.Helper()
	return startScrape(t, fmt.Sprintf("{job_name: synapsed, honor_labels: true, static_configs: [{targets: ['%s']}]}", strings.TrimPrefix(target, "http://")),
		map[string]string{"rules.yml": rules})
}

// startScrape runs a Prometheus server with one scrape job, and files beside its configuration, and returns its URL.
func startScrape(t *testing.T, job string, files map[string]string) string {
	t.Helper()
	address := prometheustest.FreeAddress(t)
	files["prometheus.yml"] = fmt.Sprintf("global: {scrape_interval: %s, evaluation_interval: %s}\nrule_files: [rules.yml]\nscrape_configs: [%s]\n",
		scrapeInterval, scrapeInterval, job)
	prometheustest.Start(t, address, files)
	return "http://" + address
}

// TestBothSourcesSayTheSame serves the metrics of two regions to a real Prometheus server and to a sampler.
func TestBothSourcesSayTheSame(t *testing.T) {
	t.Parallel()
	all := gateways{"eu": newGateway("eu"), "us": newGateway("us")}
	registries := prometheus.Gatherers{}
	for _, gateway := range all {
		gateway.prepare("login", "new", "old")
		registries = append(registries, gateway.registry)
	}
	metrics := httptest.NewServer(promhttp.HandlerFor(registries, promhttp.HandlerOpts{}))
	t.Cleanup(metrics.Close)
	rules, err := measure.Rules("errors", ratioSLO(99, "720h"))
	require.NoError(t, err)
	server := newPrometheus(t, startPrometheus(t, metrics.URL, rules))
	value := func(query string) float64 {
		value, err := server.Query(t.Context(), query, time.Now())
		if err != nil {
			return -1
		}
		return value
	}
	const scrapes = `min(count_over_time(synapse_gateway_split_requests_total{status="5xx",backend="new"}[1h]))`
	moreScrapes := func() {
		wanted := max(value(scrapes), 0) + 5
		require.Eventually(t, func() bool { return value(scrapes) >= wanted }, time.Minute, scrapeInterval)
	}
	moreScrapes()
	clock := newClock()
	clock.now = time.Now()
	sampler := newSampler(all, clock)
	sampler.Sample(t.Context())
	sampled := clock.Now()
	moreScrapes()

	all["eu"].serve("login", "new", "2xx", 930, 20*time.Millisecond)
	all["us"].serve("login", "new", "5xx", 48, 400*time.Millisecond)
	all["us"].serve("login", "new", "none", 30, 20*time.Millisecond)
	all["eu"].serve("login", "old", "2xx", 1998, 20*time.Millisecond)
	all["us"].serve("login", "old", "5xx", 2, 20*time.Millisecond)
	const counted = `sum(synapse_gateway_requests_total{service="auth"})`
	require.Eventually(t, func() bool { return value(counted) == 3008 }, time.Minute, scrapeInterval)
	moreScrapes()

	now := time.Now()
	clock.advance(now.Sub(clock.Now()))
	sampler.Sample(t.Context())
	split := newSplit(synapse.SplitCheck{SLO: "errors", Baseline: new(1.0)}, synapse.SplitCheck{SLO: "latency"},
		synapse.SplitCheck{Max: new(4.0), Query: `100 * sum(increase(synapse_gateway_split_requests_total{split="{{split}}",backend="{{backend}}",region=~"{{regions}}",status="5xx"}[{{window}}]))
			/ sum(increase(synapse_gateway_split_requests_total{split="{{split}}",backend="{{backend}}",region=~"{{regions}}",status!="none"}[{{window}}]))`})
	split.Spec.Progression.Analysis.Interval = "1h"
	split.Status.State.StepSince = sampled
	ofServer := measure.NewEvaluator(server, server, newReader(t)).Split(t.Context(), split, now)
	ofSampler := measure.NewEvaluator(sampler, server, newReader(t)).Split(t.Context(), split, now)

	require.Empty(t, ofSampler.Problem)
	require.Empty(t, ofServer.Problem)
	require.EqualValues(t, 978, ofSampler.Requests)
	require.InEpsilon(t, 978, ofServer.Requests, 0.5, "increase() extrapolates to the ends of the window")
	for i, wanted := range []struct{ candidate, stable float64 }{{100 * 48. / 978, 0.1}, {100 * 48. / 978, 0}, {100 * 48. / 978, 0.1}} {
		for source, result := range map[string]synapse.SplitCheckResult{"prometheus": ofServer.Checks[i], "gateways": ofSampler.Checks[i]} {
			require.Empty(t, result.Problem, source)
			require.InDelta(t, wanted.candidate, *result.Candidate, 1e-6, source)
			require.InDelta(t, wanted.stable, *result.Stable, 1e-6, source)
			require.True(t, result.Failed, source)
		}
	}
	const burning = `slo:current_burn_rate:ratio{synapse_slo="errors"}`
	require.Eventually(t, func() bool { return value(burning) > 1.5 }, time.Minute, scrapeInterval, "its rules are evaluated too")
	require.InDelta(t, 100*50./2978, value(burning), 0.01, "50 of 2,978 requests were bad, and 1 % may be")
}

// TestTheScrapeOfTheGuideKeepsOurLabels has the scrape job of the guide, with a bearer token, TLS and target labels of the names of
// ours, and the same job without honor_labels.
func TestTheScrapeOfTheGuideKeepsOurLabels(t *testing.T) {
	t.Parallel()
	eu := newGateway("eu")
	eu.prepare("login", "new", "old")
	handler := promhttp.HandlerFor(eu.registry, promhttp.HandlerOpts{})
	daemon := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer viewer-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(daemon.Close)
	for name, test := range map[string]struct {
		honor bool
		says  string
	}{
		"as in the guide":      {true, ""},
		"without honor_labels": {false, "honor_labels: true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := fmt.Sprintf("{job_name: synapsed, scheme: https, honor_labels: %t, authorization: {credentials_file: token}, tls_config: {ca_file: ca.pem}, "+
				"static_configs: [{targets: ['%s'], labels: {service: synapsed, region: europe, split: none, backend: none, job: monitoring}}]}",
				test.honor, strings.TrimPrefix(daemon.URL, "https://"))
			server := newPrometheus(t, startScrape(t, job, map[string]string{"rules.yml": "", "token": "viewer-token", "ca.pem": certificateOf(daemon)}))
			const samples = `count(count_over_time(synapse_gateway_requests_total{status="2xx"}[1m]) >= 3)`
			require.Eventually(t, func() bool {
				found, err := server.Query(t.Context(), samples, time.Now())
				return err == nil && found == 2
			}, time.Minute, scrapeInterval)
			now := time.Now()
			_, ofService := server.Service(t.Context(), "auth", now.Add(-time.Minute), now)
			_, ofSplit := server.Split(t.Context(), backend("new", "eu"), now.Add(-time.Minute), now)
			_, ofTarget := server.Service(t.Context(), "synapsed", now.Add(-time.Minute), now)
			require.Error(t, ofTarget, "a label of the scrape's is no service")
			for _, err := range []error{ofService, ofSplit} {
				if test.says == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, test.says)
				}
			}
		})
	}
}

package synapse

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSplitValidation(t *testing.T) {
	t.Parallel()
	static := func(s *TrafficSplitSpec, weights map[string]int) { s.Progression, s.Weights = nil, weights }
	for _, tc := range []struct {
		name    string
		change  func(s *TrafficSplitSpec)
		pointer string
		says    string
	}{
		{"weights below 100", func(s *TrafficSplitSpec) { static(s, map[string]int{"monolith": 90, "auth": 9}) }, "/spec/weights", "sum to 99"},
		{"a negative weight", func(s *TrafficSplitSpec) { static(s, map[string]int{"monolith": 101, "auth": -1}) }, "/spec/weights/auth", "-1 is not a percentage"},
		{"weights of an unknown backend", func(s *TrafficSplitSpec) { static(s, map[string]int{"monolith": 99, "auht": 1}) }, "/spec/weights/auht", "the backends are auth, monolith"},
		{"both weights and progression", func(s *TrafficSplitSpec) { s.Weights = map[string]int{"monolith": 100} }, "/spec/weights", "not both"},
		{"neither weights nor progression", func(s *TrafficSplitSpec) { s.Progression = nil }, "/spec/weights", "give weights, or a progression"},
		{"no stable backend", func(s *TrafficSplitSpec) {
			s.Backends["monolith"] = SplitBackend{Role: "candidate", URL: "http://m"}
		}, "/spec/backends", "exactly one backend must have the role stable"},
		{"too many candidates", func(s *TrafficSplitSpec) {
			for i := range 3 {
				s.Backends[fmt.Sprintf("b%d", i)] = SplitBackend{Role: "candidate", URL: "http://m"}
			}
		}, "/spec/backends", "at most one stable backend and two candidates"},
		{"a progression to two candidates", func(s *TrafficSplitSpec) {
			s.Backends["b"] = SplitBackend{Role: "candidate", URL: "http://m"}
		}, "/spec/backends", "to one candidate, and there are 2"},
		{"a backend without a place", func(s *TrafficSplitSpec) { s.Backends["auth"] = SplitBackend{Role: "candidate"} }, "/spec/backends/auth", "either a deployment or a url"},
		{"an unknown role", func(s *TrafficSplitSpec) {
			s.Backends["auth"] = SplitBackend{Role: "new", URL: "http://m"}
		}, "/spec/backends/auth/role", "not one of stable, candidate"},
		{"a deployment without its service", func(s *TrafficSplitSpec) {
			s.Backends["auth"] = SplitBackend{Role: "candidate", Deployment: "v1"}
		}, "/spec/backends/auth/deployment", "SERVICE/NAME"},
		{"a url that is none", func(s *TrafficSplitSpec) {
			s.Backends["monolith"] = SplitBackend{Role: "stable", URL: "monolith:80"}
		}, "/spec/backends/monolith/url", "http://HOST:PORT"},
		{"the address of a metadata server", func(s *TrafficSplitSpec) {
			s.Backends["monolith"] = SplitBackend{Role: "stable", URL: "http://169.254.169.254"}
		}, "/spec/backends/monolith/url", "credentials of their machines"},
		{"a link-local address, as one of IPv6", func(s *TrafficSplitSpec) {
			s.Backends["monolith"] = SplitBackend{Role: "stable", URL: "http://[::ffff:169.254.1.1]:8080"}
		}, "/spec/backends/monolith/url", "credentials of their machines"},
		{"a link-local address of IPv6", func(s *TrafficSplitSpec) {
			s.Backends["monolith"] = SplitBackend{Role: "stable", URL: "http://[fe80::1]"}
		}, "/spec/backends/monolith/url", "credentials of their machines"},
		{"the name of a metadata server", func(s *TrafficSplitSpec) {
			s.Backends["monolith"] = SplitBackend{Role: "stable", URL: "http://Metadata.Google.Internal./x"}
		}, "/spec/backends/monolith/url", "credentials of their machines"},
		{"a same_site that is none of the three", func(s *TrafficSplitSpec) {
			s.Affinity = &Affinity{Key: AffinityCookie, Name: "c", SameSite: "sometimes"}
		}, "/spec/affinity/same_site", "strict"},
		{"a same_site without a cookie", func(s *TrafficSplitSpec) {
			s.Affinity = &Affinity{Key: AffinityTenant, SameSite: SameSiteNone}
		}, "/spec/affinity/same_site", "leave it out"},
		{"a password in a url", func(s *TrafficSplitSpec) {
			s.Backends["monolith"] = SplitBackend{Role: "stable", URL: "http://u:secret@m"}
		}, "/spec/backends/monolith/url", "must not contain a user"},
		{"a host with a port", func(s *TrafficSplitSpec) { s.Route.Host = "api.example.com:80" }, "/spec/route/host", "without scheme and port"},
		{"a path with a slash at its end", func(s *TrafficSplitSpec) { s.Route.PathPrefix = "/auth/" }, "/spec/route/path_prefix", "whole segments"},
		{"a path that climbs", func(s *TrafficSplitSpec) { s.Route.PathPrefix = "/a/../b" }, "/spec/route/path_prefix", "whole segments"},
		{"a method in small letters", func(s *TrafficSplitSpec) { s.Route.Methods = []string{"get"} }, "/spec/route/methods/0", "capital letters"},
		{"steps that go down", func(s *TrafficSplitSpec) { s.Progression.Steps[1].Weight = 1 }, "/spec/progression/steps/1/weight", "1 follows 5"},
		{"steps that stay", func(s *TrafficSplitSpec) { s.Progression.Steps[1].Weight = 5 }, "/spec/progression/steps/1/weight", "5 follows 5"},
		{"a step above 100", func(s *TrafficSplitSpec) { s.Progression.Steps[1].Weight = 101 }, "/spec/progression/steps/1/weight", "between 1 and 100"},
		{"an end below 100", func(s *TrafficSplitSpec) { s.Progression.Steps[1].Weight = 99 }, "/spec/progression/steps/1/weight", "the last step must be 100"},
		{"no steps", func(s *TrafficSplitSpec) { s.Progression.Steps = nil }, "/spec/progression/steps", "1 to 50 steps"},
		{"a negative hold", func(s *TrafficSplitSpec) { s.Progression.Steps[0].Hold = "-5s" }, "/spec/progression/steps/0/hold", "-5s is out of range"},
		{"a hold that is no duration", func(s *TrafficSplitSpec) { s.Progression.Steps[0].Hold = "soon" }, "/spec/progression/steps/0/hold", "is not a duration"},
		{"an unknown gate", func(s *TrafficSplitSpec) { s.Progression.Steps[0].Gate = "maybe" }, "/spec/progression/steps/0/gate", "auto, manual"},
		{"no revision", func(s *TrafficSplitSpec) { s.Progression.Revision = "" }, "/spec/progression/revision", "is not a revision"},
		{"no metrics", func(s *TrafficSplitSpec) { s.Progression.Analysis.Checks = nil }, "/spec/progression/analysis/checks", "without a metric"},
		{"a check of nothing", func(s *TrafficSplitSpec) { s.Progression.Analysis.Checks[0].SLO = "" }, "/spec/progression/analysis/checks/0", "either an slo or a query"},
		{"a query without a limit", func(s *TrafficSplitSpec) {
			s.Progression.Analysis.Checks[0] = SplitCheck{Query: "up"}
		}, "/spec/progression/analysis/checks/0/max", "which values are good"},
		{"a limit that is no number", func(s *TrafficSplitSpec) { s.Progression.Analysis.Checks[0].Max = new(math.NaN()) }, "/spec/progression/analysis/checks/0/max", "finite"},
		{"a limit above 100 percent", func(s *TrafficSplitSpec) { s.Progression.Analysis.Checks[0].Max = new(100.0) }, "/spec/progression/analysis/checks/0/max", "below 100"},
		{"a negative baseline", func(s *TrafficSplitSpec) { s.Progression.Analysis.Checks[0].Baseline = new(-1.0) }, "/spec/progression/analysis/checks/0/baseline", "at least 0"},
		{"a negative failure limit", func(s *TrafficSplitSpec) { s.Progression.Analysis.Checks[0].FailureLimit = -1 }, "/spec/progression/analysis/checks/0/failure_limit", "between 0 and 1000"},
		{"a negative minimum of requests", func(s *TrafficSplitSpec) { s.Progression.Analysis.MinRequests = -1 }, "/spec/progression/analysis/min_requests", "between 1"},
		{"an interval of nothing", func(s *TrafficSplitSpec) { s.Progression.Analysis.Interval = "1ms" }, "/spec/progression/analysis/interval", "between 1s and 1h"},
		{"a window that never opens", func(s *TrafficSplitSpec) {
			s.Progression.Windows = []Window{{From: "09:00", To: "09:00"}}
		}, "/spec/progression/windows/0/to", "never opens"},
		{"a window on no day", func(s *TrafficSplitSpec) {
			s.Progression.Windows = []Window{{Days: []string{"someday"}, From: "09:00", To: "10:00"}}
		}, "/spec/progression/windows/0/days/0", "not one of sun, mon"},
		{"a window in no time zone", func(s *TrafficSplitSpec) {
			s.Progression.Windows = []Window{{From: "09:00", To: "10:00", Timezone: "Mars/Olympus"}}
		}, "/spec/progression/windows/0/timezone", "IANA"},
		{"a region in two waves", func(s *TrafficSplitSpec) {
			s.Progression.Waves = []SplitWave{{Regions: []string{"eu"}}, {Regions: []string{"eu"}}}
		}, "/spec/progression/waves/1/regions/0", "in two waves"},
		{"a wave without regions", func(s *TrafficSplitSpec) { s.Progression.Waves = []SplitWave{{}} }, "/spec/progression/waves/0/regions", "needs a region"},
		{"a pin to an unknown backend", func(s *TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} }, "/spec/pins/acme", "no backend \"new\""},
		{"a match to an unknown backend", func(s *TrafficSplitSpec) {
			s.Match = []SplitMatch{{Header: "X-Canary", Value: "1", Backend: "new"}}
		}, "/spec/match/0/backend", "no backend \"new\""},
		{"a header that is none", func(s *TrafficSplitSpec) { s.Match = []SplitMatch{{Header: "a b", Backend: "auth"}} }, "/spec/match/0/header", "not the name of a header"},
		{"a mirror that changes things", func(s *TrafficSplitSpec) {
			s.Mirror = &Mirror{Backend: "auth", Methods: []string{"POST"}}
		}, "/spec/mirror/methods/0", "must not change anything"},
		{"a mirror of too much", func(s *TrafficSplitSpec) { s.Mirror = &Mirror{Backend: "auth", Percent: 101} }, "/spec/mirror/percent", "between 1 and 100"},
		{"affinity to a header without a name", func(s *TrafficSplitSpec) { s.Affinity = &Affinity{Key: "header"} }, "/spec/affinity/name", "not the name of a header"},
		{"affinity to something else", func(s *TrafficSplitSpec) { s.Affinity = &Affinity{Key: "mood"} }, "/spec/affinity/key", "tenant, header, cookie"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			spec := strangler(steps(5, 100)...)
			tc.change(spec)
			spec.SetDefaults()
			errs := spec.Validate()
			require.NotEmpty(t, errs)
			for _, err := range errs {
				if err.Pointer == tc.pointer && strings.Contains(err.Message, tc.says) {
					require.NotContains(t, err.Message, "secret")
					return
				}
			}
			require.Fail(t, "not reported", "%v", errs)
		})
	}
}

func TestSLOValidation(t *testing.T) {
	t.Parallel()
	good := SLOSpec{Service: "auth", SLI: SLILatency, Objective: 99.9, Threshold: "250ms"}
	good.SetDefaults()
	require.Empty(t, good.Validate())
	for pointer, change := range map[string]func(s *SLOSpec){
		"/spec/objective":                   func(s *SLOSpec) { s.Objective = math.NaN() },
		"/spec/threshold":                   func(s *SLOSpec) { s.Threshold = "240ms" },
		"/spec/sli":                         func(s *SLOSpec) { s.SLI = "mood" },
		"/spec/window":                      func(s *SLOSpec) { s.Window = "-1h" },
		"/spec/service":                     func(s *SLOSpec) { s.Service = "" },
		"/spec/alerting/page_labels/a-b":    func(s *SLOSpec) { s.Alerting.PageLabels = map[string]string{"a-b": "c"} },
		"/spec/alerting/annotations/__name": func(s *SLOSpec) { s.Alerting.Annotations = map[string]string{"__name": "c"} },
		"/spec/alerting/annotations/nul":    func(s *SLOSpec) { s.Alerting.Annotations = map[string]string{"nul": "a\x00b"} },
		"/spec/alerting/annotations/bytes":  func(s *SLOSpec) { s.Alerting.Annotations = map[string]string{"bytes": "\xff"} },
		"/spec/alerting/annotations/long":   func(s *SLOSpec) { s.Alerting.Annotations = map[string]string{"long": strings.Repeat("ü", 10_001)} },
		"/spec/alerting/ticket_labels/long": func(s *SLOSpec) { s.Alerting.TicketLabels = map[string]string{"long": strings.Repeat("ü", 1001)} },
	} {
		t.Run(pointer, func(t *testing.T) {
			t.Parallel()
			bad := good
			change(&bad)
			errs := bad.Validate()
			require.Len(t, errs, 1)
			require.Equal(t, pointer, errs[0].Pointer)
		})
	}
}

func TestAnAnnotationMayHaveSeveralLines(t *testing.T) {
	t.Parallel()
	spec := SLOSpec{Service: "auth", SLI: SLIRatio, Objective: 99.9}
	spec.Alerting.Annotations = map[string]string{"description": "Logins fail:\n\t\"{{ $labels.region }}\" \\o/\r\n", "long": strings.Repeat("ü", 10_000)}
	spec.Alerting.PageLabels = map[string]string{"team": "a\nb"}
	spec.SetDefaults()
	require.Empty(t, spec.Validate())
}

func TestWindows(t *testing.T) {
	t.Parallel()
	berlin := Window{Days: []string{"fri"}, From: "22:00", To: "02:00", Timezone: "Europe/Berlin"}
	office := Window{Days: []string{"mon", "fri"}, From: "09:00", To: "17:00", Timezone: "UTC"}
	for _, tc := range []struct {
		window Window
		at     string
		open   bool
	}{
		{office, "2026-03-06T08:59:59Z", false},
		{office, "2026-03-06T09:00:00Z", true},
		{office, "2026-03-06T16:59:59Z", true},
		{office, "2026-03-06T17:00:00Z", false},
		{office, "2026-03-07T10:00:00Z", false},
		{berlin, "2026-03-06T20:59:00Z", false},
		{berlin, "2026-03-06T21:00:00Z", true},
		{berlin, "2026-03-07T00:59:00Z", true},
		{berlin, "2026-03-07T01:00:00Z", false},
		{berlin, "2026-03-06T00:30:00Z", false}, // the night before belongs to Thursday
	} {
		now, err := time.Parse(time.RFC3339, tc.at)
		require.NoError(t, err)
		require.Equal(t, tc.open, tc.window.Open(now), "%v at %s", tc.window, tc.at)
	}
}

func TestCohorts(t *testing.T) {
	t.Parallel()
	t.Run("the number of a key is the same everywhere and forever", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, map[string]int{"acme": 2216, "globex": 2846, "": 5803}, map[string]int{
			"acme": Cohort("checkout", "acme"), "globex": Cohort("checkout", "globex"), "": Cohort("checkout", ""),
		})
	})
	t.Run("growing a weight moves no key back", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			a := rapid.IntRange(0, 100).Draw(t, "a")
			b := rapid.IntRange(0, 100-a).Draw(t, "b")
			grown := rapid.IntRange(a, 100-b).Draw(t, "a grown")
			cohort := rapid.IntRange(0, CohortCount-1).Draw(t, "cohort")
			before := NewCohorts("stable", []string{"a", "b"}, map[string]int{"a": a, "b": b, "stable": 100 - a - b}).Backend(cohort)
			after := NewCohorts("stable", []string{"a", "b"}, map[string]int{"a": grown, "b": b, "stable": 100 - grown - b}).Backend(cohort)
			if before != after {
				require.Equal(t, []string{"stable", "a"}, []string{before, after})
			}
		})
	})
	t.Run("each backend has its share of the cohorts", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			a := rapid.IntRange(0, 100).Draw(t, "a")
			weights := map[string]int{"a": a, "b": rapid.IntRange(0, 100-a).Draw(t, "b")}
			weights["stable"] = 100 - a - weights["b"]
			cohorts := NewCohorts("stable", []string{"a", "b"}, weights)
			counts := map[string]int{"a": 0, "b": 0, "stable": 0}
			for cohort := range CohortCount {
				counts[cohorts.Backend(cohort)]++
			}
			for name, weight := range weights {
				require.Equal(t, weight*100, counts[name])
			}
		})
	})
	t.Run("keys spread evenly", func(t *testing.T) {
		t.Parallel()
		const keys = 200_000
		var buckets [100]int
		for i := range keys {
			buckets[Cohort("salt", fmt.Sprintf("tenant-%d", i))/100]++
		}
		chi2 := 0.0
		for _, n := range buckets {
			chi2 += math.Pow(float64(n)-keys/100, 2) / (keys / 100)
		}
		require.Less(t, chi2, 160.0, "chi-squared with 99 degrees of freedom: beyond 160 once in 10,000 times")
	})
	t.Run("a balanced salt brings 1,000 tenants within a point of every step", func(t *testing.T) {
		t.Parallel()
		var tenants []string
		for i := range 1000 {
			tenants = append(tenants, fmt.Sprintf("tenant-%03d", i))
		}
		weights := []int{1, 5, 25, 50}
		salt := BalancedSalt("split-uid", tenants, weights)
		require.Equal(t, salt, BalancedSalt("split-uid", tenants, weights))
		for _, weight := range weights {
			below := 0
			for _, tenant := range tenants {
				if Cohort(salt, tenant) < weight*100 {
					below++
				}
			}
			require.InDelta(t, weight, float64(below)/10, 1)
		}
	})
}

func TestApportion(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]int{"eu": 34, "us": 33, "asia": 33}, Apportion(100, map[string]float64{"asia": 1, "eu": 1.01, "us": 1}))
	require.Equal(t, map[string]int{"a": 34, "b": 33, "c": 33}, Apportion(100, map[string]float64{"a": 0, "b": 0, "c": 0}))
	rapid.Check(t, func(t *rapid.T) {
		shares := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}`), rapid.Float64Range(0, 1e6), 1, 8).Draw(t, "shares")
		total := rapid.IntRange(0, 10_000).Draw(t, "total")
		sum, all := 0.0, 0
		for _, share := range shares {
			sum += share
		}
		for name, part := range Apportion(total, shares) {
			all += part
			if sum > 0 {
				require.InDelta(t, float64(total)*shares[name]/sum, part, 1+1e-6)
			}
		}
		require.Equal(t, total, all)
	})
}

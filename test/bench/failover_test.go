package bench

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	drillmeasure "github.com/apex-innovations/terraform-provider-synapse/internal/drill/measure"
)

// failoversVariable says how often each contender loses its primary, if not defaultFailovers times.
const (
	failoversVariable = "SYNAPSE_BENCH_FAILOVERS"
	defaultFailovers  = 5
)

// contender is a system that survives the loss of the machine with its primary database.
type contender struct {
	name, settings string
	// safe says that it promises to lose no acknowledged write.
	safe bool
	// lose runs the system afresh and takes its primary away.
	lose func(t *testing.T) recovery
}

type failoverResult struct {
	Contender    string  `json:"contender"`
	Settings     string  `json:"settings"`
	Synchronous  bool    `json:"synchronous_replication"`
	Median       float64 `json:"median_seconds"`
	Min          float64 `json:"min_seconds"`
	Max          float64 `json:"max_seconds"`
	Acknowledged int     `json:"acknowledged_writes"`
	Lost         int     `json:"acknowledged_writes_lost"`
}

type failoverComparison struct {
	Runs            int              `json:"runs_of_each"`
	WritesPerSecond int              `json:"writes_per_second"`
	Consecutive     int              `json:"consecutive_writes_that_make_a_recovery"`
	PostgreSQL      int              `json:"postgresql_major"`
	Patroni         string           `json:"patroni"`
	Contenders      []failoverResult `json:"contenders"`
	ToDefault       float64          `json:"ratio_to_patroni_default"`
	ToDefaultAim    float64          `json:"ratio_to_patroni_default_aim_at_most"`
	ToTuned         float64          `json:"ratio_to_patroni_tuned"`
	ToTunedAim      float64          `json:"ratio_to_patroni_tuned_aim_at_most"`
	ToShortest      float64          `json:"ratio_to_patroni_below_its_minimum"`
}

// TestBenchFailover compares how long writes are away after the loss of the primary, for the local runtime and for patroni.
// What can be chosen favours patroni: etcd has one member, on the same machine, and goes on; HAProxy looks five times a second;
// nothing else runs beside. In the local runtime a service and the drill's own client, with its requests and writes, do.
func TestBenchFailover(t *testing.T) {
	onlyWhenAsked(t)
	patroni := findPatroni(t)
	// As documented since version 3.2, ttl is at least 20, loop_wait 1 and retry_timeout 3, and loop_wait + 2 retry_timeout is at
	// most ttl. Version 3.0.2, which Debian 12 has, takes any number: the last contender goes below the first of these, as far
	// as the others allow.
	byDefault := patroniSettings{TTL: 30, LoopWait: 10, RetryTimeout: 10}
	tuned := patroniSettings{TTL: 20, LoopWait: 1, RetryTimeout: 3, StartTimeout: new(0), Synchronous: true}
	shortest := tuned
	shortest.TTL = tuned.LoopWait + 2*tuned.RetryTimeout
	contenders := []contender{
		{name: "synapse", settings: "mode automatic, unhealthy_for 1s, quorum 2 (the defaults)", safe: true, lose: loseRegion},
		{
			name: "patroni default", settings: "ttl 30, loop_wait 10, retry_timeout 10",
			lose: func(t *testing.T) recovery { return patroni.losePrimary(t, byDefault) },
		},
		{
			name: "patroni tuned", settings: "ttl 20, loop_wait 1, retry_timeout 3, primary_start_timeout 0", safe: true,
			lose: func(t *testing.T) recovery { return patroni.losePrimary(t, tuned) },
		},
		{
			name: "patroni below its minimum", settings: "ttl 7, loop_wait 1, retry_timeout 3, primary_start_timeout 0", safe: true,
			lose: func(t *testing.T) recovery { return patroni.losePrimary(t, shortest) },
		},
	}
	runs := failovers(t)
	seen := map[string][]recovery{}
	for n := range runs {
		for _, c := range contenders {
			// A test of its own, so that nothing of one runs beside the next.
			passed := t.Run(fmt.Sprintf("%s/%d", c.name, n+1), func(t *testing.T) { seen[c.name] = append(seen[c.name], c.lose(t)) })
			require.True(t, passed, "a run failed, and the medians would leave it out")
		}
	}

	results := map[string]failoverResult{}
	comparison := failoverComparison{
		Runs: runs, WritesPerSecond: writesPerSecond, Consecutive: drillmeasure.Consecutive,
		PostgreSQL: patroni.postgresql.Major, Patroni: patroni.version, ToDefaultAim: 0.33, ToTunedAim: 1,
	}
	for _, c := range contenders {
		require.Len(t, seen[c.name], runs, "%s was left out", c.name)
		result := summary(c, seen[c.name])
		results[c.name] = result
		comparison.Contenders = append(comparison.Contenders, result)
	}
	ours := results["synapse"]
	comparison.ToDefault = rounded(ours.Median / results["patroni default"].Median)
	comparison.ToTuned = rounded(ours.Median / results["patroni tuned"].Median)
	comparison.ToShortest = rounded(ours.Median / results["patroni below its minimum"].Median)
	section(t, "recovery_after_the_loss_of_the_primary_beside_patroni", comparison)
	t.Log(comparison.table())
	require.Zero(t, ours.Lost, "acknowledged writes that synchronous replication has lost")
}

func failovers(t *testing.T) int {
	t.Helper()
	wanted := os.Getenv(failoversVariable)
	if wanted == "" {
		return defaultFailovers
	}
	runs, err := strconv.Atoi(wanted)
	require.NoError(t, err, failoversVariable)
	require.Positive(t, runs, failoversVariable)
	return runs
}

func summary(c contender, seen []recovery) failoverResult {
	result := failoverResult{Contender: c.name, Settings: c.settings, Synchronous: c.safe}
	var seconds []float64
	for _, r := range seen {
		seconds = append(seconds, r.outage.Seconds())
		result.Acknowledged += r.acknowledged
		result.Lost += r.lost
	}
	result.Median, result.Min, result.Max = rounded(median(seconds)), rounded(slices.Min(seconds)), rounded(slices.Max(seconds))
	return result
}

func rounded(v float64) float64 { return math.Round(v*1000) / 1000 }

// table shows the comparison to people.
func (c failoverComparison) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "writes away after the loss of the primary, %d runs of each, %s, PostgreSQL %d\n", c.Runs, c.Patroni, c.PostgreSQL)
	fmt.Fprintf(&b, "%-26s %9s %9s %9s %6s/%-6s %s\n", "", "median", "min", "max", "lost", "acked", "settings")
	for _, r := range c.Contenders {
		fmt.Fprintf(&b, "%-26s %9s %9s %9s %6d/%-6d %s\n", r.Contender, inSeconds(r.Median), inSeconds(r.Min), inSeconds(r.Max), r.Lost, r.Acknowledged, r.Settings)
	}
	fmt.Fprintf(&b, "synapse takes %.2f of patroni's default (aim: at most %.2f), %.2f of patroni tuned (aim: at most %.2f), %.2f of patroni below its minimum",
		c.ToDefault, c.ToDefaultAim, c.ToTuned, c.ToTunedAim, c.ToShortest)
	return b.String()
}

func inSeconds(v float64) string {
	return time.Duration(v * float64(time.Second)).Round(time.Millisecond).String()
}

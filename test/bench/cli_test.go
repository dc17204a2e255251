package bench

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const (
	tenants = 1000
	rounds  = 3
	// parallel is how many objects Terraform works on at once unless told otherwise.
	parallel = 10
)

const tenantsConfig = `
terraform {
  required_providers {
    synapse = { source = "apex-innovations/synapse" }
  }
}

resource "synapse_tenant" "this" {
  count        = %d
  name         = "tenant-${count.index}"
  display_name = "Tenant ${count.index}"
  quotas       = { requests_per_second = 10 }
}
`

// dataConfig takes the number of objects and that of attributes beside the names.
const dataConfig = `
resource "terraform_data" "this" {
  count = %d
  input = merge(
    { name = "tenant-${count.index}", display_name = "Tenant ${count.index}" },
    { for n in range(%d) : "attribute_${n}" => "value ${n}" },
  )
}
`

// sameSize is the number of attributes with which a terraform_data takes as many bytes in the state as a tenant, about
// 1.4 KiB. The CLI writes the whole state after each object that it applied, so the time of an apply goes with it.
const sameSize = 5

// run is one measured run of the CLI.
type run struct {
	seconds    float64
	cpuSeconds float64 // of the CLI and the providers
	requests   int64
	peakMiB    float64 // of the provider's largest process
}

// cliResult compares the provider with terraform_data, in medians over all rounds.
type cliResult struct {
	LatencyMS       int     `json:"added_latency_ms"`
	Seconds         float64 `json:"seconds"`
	Baseline        float64 `json:"terraform_data_seconds"`
	Ratio           float64 `json:"ratio"`
	SameSize        float64 `json:"terraform_data_with_a_state_of_the_same_size_seconds"`
	SameSizeRatio   float64 `json:"ratio_to_the_same_size"`
	Aim             float64 `json:"aim_at_most"`
	Requests        int64   `json:"requests"`
	ProviderPeakMiB float64 `json:"provider_peak_mib"`
}

func TestBenchCLI(t *testing.T) {
	onlyWhenAsked(t)
	latencies := []time.Duration{0, 50 * time.Millisecond}
	var dataApply, dataPlan, largeApply, largePlan []float64
	apply, plan := map[time.Duration][]run{}, map[time.Duration][]run{}
	for round := range rounds {
		t.Logf("round %d of %d", round+1, rounds)
		data, large := newData(t, 0), newData(t, sameSize)
		dataApply = append(dataApply, measure(t, data, nil, "apply", "-auto-approve").seconds)
		dataPlan = append(dataPlan, measure(t, data, nil, "plan").seconds)
		largeApply = append(largeApply, measure(t, large, nil, "apply", "-auto-approve").seconds)
		largePlan = append(largePlan, measure(t, large, nil, "plan").seconds)
		for _, latency := range latencies {
			d := synapsedtest.Start(t, "--log-level=WARN")
			_, err := client.Create[synapse.RegionSpec, synapse.RegionStatus](t.Context(), d.Client(), synapse.KindRegion,
				synapse.Draft[synapse.RegionSpec]{Name: "eu"}, client.CreateOptions{WriteOptions: client.WriteOptions{Wait: 30 * time.Second}})
			require.NoError(t, err)
			far := newLatency(t, d.Endpoint, latency)
			w := synapsedtest.NewWorkspace(t, d, far.url, map[string]string{"main.tf": fmt.Sprintf(tenantsConfig, tenants)})
			apply[latency] = append(apply[latency], measure(t, w, far, "apply", "-auto-approve"))
			plan[latency] = append(plan[latency], measure(t, w, far, "plan"))
			d.Stop()
		}
	}
	var applied, planned []cliResult
	for _, latency := range latencies {
		roundTrips := 2 * latency.Seconds() * tenants / parallel
		applied = append(applied, compare(latency, apply[latency], median(dataApply)+roundTrips, median(largeApply)+roundTrips, 1.2))
		planned = append(planned, compare(latency, plan[latency], median(dataPlan), median(largePlan), 3))
	}
	section(t, "plan_1000_tenants", planned)
	section(t, "apply_1000_tenants_to_terraform_data_plus_two_round_trips", applied)
	for _, result := range planned {
		require.LessOrEqual(t, result.Requests, int64(20), "requests of a refresh")
	}
}

func compare(latency time.Duration, runs []run, baseline, sameSize, aim float64) cliResult {
	var seconds, peaks []float64
	var requests []float64
	for _, r := range runs {
		seconds, peaks, requests = append(seconds, r.seconds), append(peaks, r.peakMiB), append(requests, float64(r.requests))
	}
	round := func(v float64) float64 { return math.Round(v*100) / 100 }
	return cliResult{
		LatencyMS: int(latency.Milliseconds()), Seconds: round(median(seconds)), Baseline: round(baseline), Ratio: round(median(seconds) / baseline),
		SameSize: round(sameSize), SameSizeRatio: round(median(seconds) / sameSize),
		Aim: aim, Requests: int64(median(requests)), ProviderPeakMiB: round(median(peaks)),
	}
}

// newData makes a workspace without any provider.
func newData(t *testing.T, attributes int) *synapsedtest.Workspace {
	t.Helper()
	w := synapsedtest.NewPlainWorkspace(t, map[string]string{"main.tf": fmt.Sprintf(dataConfig, tenants, attributes)})
	w.Run(t, "init", "-input=false")
	return w
}

// measure runs the CLI once, and counts requests and the provider's memory meanwhile.
func measure(t *testing.T, w *synapsedtest.Workspace, far *latencyProxy, args ...string) run {
	t.Helper()
	if far != nil {
		far.requests.Store(0)
	}
	var output bytes.Buffer
	command := w.Command(t.Context(), append(args, "-input=false", "-no-color")...)
	command.Stdout, command.Stderr = &output, &output
	ctx, stop := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	peak := 0.0
	start := time.Now()
	require.NoError(t, command.Start())
	watch.Go(func() { peak = watchPeak(ctx, command.Process.Pid) })
	err := command.Wait()
	seconds := time.Since(start).Seconds()
	stop()
	watch.Wait()
	require.NoError(t, err, "%s", &output)
	// The CLI waits for the providers, so what they took is in this.
	used := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	r := run{seconds: seconds, cpuSeconds: used.Seconds(), peakMiB: peak}
	if far != nil {
		r.requests = far.requests.Load()
	}
	t.Logf("%v: %.2f s, %d requests, %.0f MiB", args, r.seconds, r.requests, r.peakMiB)
	return r
}

// watchPeak returns the largest resident set, in MiB, that a provider below a process ever had.
func watchPeak(ctx context.Context, parent int) float64 {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	peak := 0.0
	for {
		select {
		case <-ctx.Done():
			return peak
		case <-ticker.C:
		}
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
		if err != nil {
			continue
		}
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
		for _, task := range tasks {
			more, _ := os.ReadFile(task)
			children = append(append(children, ' '), more...)
		}
		for child := range strings.FieldsSeq(string(children)) {
			status, _ := os.ReadFile(filepath.Join("/proc", child, "status"))
			for line := range strings.Lines(string(status)) {
				if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
					kib, _ := strconv.ParseFloat(fields[1], 64)
					peak = max(peak, kib/1024)
				}
			}
		}
	}
}

// latencyProxy forwards requests after a while, and counts them.
type latencyProxy struct {
	url      string
	requests atomic.Int64
}

func newLatency(t *testing.T, endpoint string, latency time.Duration) *latencyProxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	require.NoError(t, err)
	p := &latencyProxy{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 100}
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		p.requests.Add(1)
		if latency > 0 {
			<-time.After(latency)
		}
		proxy.ServeHTTP(response, request)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

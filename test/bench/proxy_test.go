package bench

import (
	"math"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"
)

const (
	proxyRounds    = 5
	proxyRoundTime = 3 * time.Second
)

// proxyWeights are the percents of the three backends.
var proxyWeights = []int{50, 30, 20}

type proxyResult struct {
	Target    string  `json:"target"`
	PerSecond float64 `json:"requests_per_second"`
	P50MS     float64 `json:"p50_ms"`
	P99MS     float64 `json:"p99_ms"`
	// CPUMicroseconds is the processor time that the proxy itself took for a request, user and system.
	CPUMicroseconds float64 `json:"cpu_us_per_request"`
}

type proxyComparison struct {
	Connections     int           `json:"connections"`
	Weights         []int         `json:"weights"`
	Targets         []proxyResult `json:"targets"`
	ThroughputRatio float64       `json:"throughput_to_the_better_of_nginx_and_haproxy"`
	ThroughputAim   float64       `json:"throughput_aim_at_least"`
	P99Ratio        float64       `json:"p99_to_the_better_of_nginx_and_haproxy"`
	P99Aim          float64       `json:"p99_aim_at_most"`
	// The ratios to Caddy and to net/http's own proxy: what a Go program that is not made for speed takes.
	ThroughputToCaddy   float64 `json:"throughput_to_caddy"`
	P99ToCaddy          float64 `json:"p99_to_caddy"`
	ThroughputToReverse float64 `json:"throughput_to_httputil_reverse_proxy"`
	P99ToReverse        float64 `json:"p99_to_httputil_reverse_proxy"`
}

// proxyContender is a proxy, or a backend without one.
type proxyContender struct {
	name, address string
	pid           int
	// What each round measured.
	perSecond, p50, p99, cpu []float64
}

// TestBenchProxies sends the same requests through a region gateway with a split of three backends, through nginx, HAProxy,
// Caddy and net/http's ReverseProxy with the same weights for the same backends, and to a backend directly, in turns. All say the
// same to the backend and to the client: a proxy that leaves the headers out saves work at both ends. What the gateway does
// beyond, such as histograms for each backend, it has to do in its time.
func TestBenchProxies(t *testing.T) {
	onlyWhenAsked(t)
	nginx, haproxy, caddy := programOf(t, "nginx", "nginx"), programOf(t, "haproxy", "haproxy"), programOf(t, "caddy", "caddy")
	addresses := freeAddresses(t, 9)
	backends := addresses[:3]
	var direct int
	for _, address := range backends {
		_, direct = startCounted(t, "backend", address, address)
	}
	ours := &proxyContender{name: "region gateway", address: addresses[3], pid: startGateway(t, addresses[3], addresses[4], backends)}
	others := []*proxyContender{
		{name: "nginx", address: addresses[5], pid: startNginx(t, nginx, addresses[5], backends)},
		{name: "haproxy", address: addresses[6], pid: startHAProxy(t, haproxy, addresses[6], backends)},
		{name: "caddy", address: addresses[7], pid: startCaddy(t, caddy, addresses[7], backends)},
		{name: "httputil.ReverseProxy", address: addresses[8], pid: startReverse(t, addresses[8], backends)},
	}
	targets := append([]*proxyContender{ours}, append(others, &proxyContender{name: "direct", address: backends[2], pid: direct})...)
	for _, target := range targets {
		flood(t, target.address, "/shop/items", time.Second) // to warm up
	}
	for round := range proxyRounds {
		for _, target := range targets {
			target.measure(t, round+1)
		}
	}
	result := proxyComparison{Connections: connections, Weights: proxyWeights, ThroughputAim: 0.7, P99Aim: 1.5}
	for _, target := range targets {
		result.Targets = append(result.Targets, target.result())
	}
	byThroughput := func(c *proxyContender) float64 { return median(c.perSecond) }
	byP99 := func(c *proxyContender) float64 { return median(c.p99) }
	result.ThroughputRatio = rounded(byThroughput(ours) / max(byThroughput(others[0]), byThroughput(others[1])))
	result.P99Ratio = rounded(byP99(ours) / min(byP99(others[0]), byP99(others[1])))
	result.ThroughputToCaddy = rounded(byThroughput(ours) / byThroughput(others[2]))
	result.P99ToCaddy = rounded(byP99(ours) / byP99(others[2]))
	result.ThroughputToReverse = rounded(byThroughput(ours) / byThroughput(others[3]))
	result.P99ToReverse = rounded(byP99(ours) / byP99(others[3]))
	section(t, "split_of_three_backends_beside_other_proxies", result)
}

// measure is one round.
func (c *proxyContender) measure(t *testing.T, round int) {
	t.Helper()
	before := processorTime(t, c.pid)
	got := flood(t, c.address, "/shop/items", proxyRoundTime)
	cpu := (processorTime(t, c.pid) - before) * 1e6 / (got.perSecond * got.elapsed.Seconds())
	t.Logf("round %d, %s: %.0f requests/s, p50 %v, p99 %v, %.0f us of processor time each", round, c.name, got.perSecond, got.p50, got.p99, cpu)
	c.perSecond, c.cpu = append(c.perSecond, got.perSecond), append(c.cpu, cpu)
	c.p50, c.p99 = append(c.p50, milliseconds(got.p50)), append(c.p99, milliseconds(got.p99))
}

func (c *proxyContender) result() proxyResult {
	return proxyResult{
		c.name, math.Round(median(c.perSecond)), rounded(median(c.p50)), rounded(median(c.p99)), rounded(median(c.cpu)),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// processorTime is what a process and all that it has started have used so far, in seconds.
func processorTime(t *testing.T, pid int) float64 {
	t.Helper()
	all := []int{pid}
	seconds := 0.0
	for i := 0; i < len(all); i++ {
		all = append(all, childrenOf(all[i])...)
		p, err := process.NewProcess(int32(all[i]))
		require.NoError(t, err)
		times, err := p.Times()
		require.NoError(t, err)
		seconds += times.User + times.System
	}
	return seconds
}

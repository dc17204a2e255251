package bench

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const (
	planRounds   = 5
	platformRoot = "examples/multi-region-platform"
	labToken     = "offline"
)

// platformSizes are numbers of regions.
var platformSizes = []int{2, 4, 8}

// platformRegions are Google's, with the zones of each.
var platformRegions = []struct{ name, zones string }{
	{"europe-west1", "bcd"},
	{"us-east1", "bcd"},
	{"europe-west3", "abc"},
	{"us-central1", "abc"},
	{"asia-northeast1", "abc"},
	{"us-west1", "abc"},
	{"australia-southeast1", "abc"},
	{"southamerica-east1", "abc"},
}

// planResult compares one kind of plan of one size, in medians over all rounds. A ratio is the median of those of each round, so
// that what else the machine does at a time hits both. CPU time is that of the CLI and the providers.
type planResult struct {
	Regions    int     `json:"regions"`
	Resources  int     `json:"resources"`
	Seconds    float64 `json:"seconds"`
	Min        float64 `json:"min_seconds"`
	Max        float64 `json:"max_seconds"`
	Bare       float64 `json:"bare_seconds"`
	BareMin    float64 `json:"bare_min_seconds"`
	BareMax    float64 `json:"bare_max_seconds"`
	Ratio      float64 `json:"ratio"`
	Aim        float64 `json:"aim_at_most"`
	CPUSeconds float64 `json:"cpu_seconds"`
	BareCPU    float64 `json:"bare_cpu_seconds"`
	CPURatio   float64 `json:"cpu_ratio"`
}

// planComparison is all sizes of one kind of plan. Growth is that from the smallest size to the largest; it is linear if time
// grows no more than the number of resources does.
type planComparison struct {
	Runs            int          `json:"runs_of_each"`
	Sizes           []planResult `json:"sizes"`
	Growth          float64      `json:"growth"`
	BareGrowth      float64      `json:"bare_growth"`
	ResourcesGrowth float64      `json:"growth_of_resources_and_aim_at_most"`
}

// TestBenchPlatformPlan compares the time of a plan of the platform, right before the first apply and right after it, with that
// of the same resources written down one by one, without modules, variables and references: what is left is what the provider
// takes, and Terraform for its resources. Both are planned in turns, against the same offline Google Cloud.
func TestBenchPlatformPlan(t *testing.T) {
	onlyWhenAsked(t)
	documents, err := gcplab.LoadDocuments("")
	require.NoError(t, err)
	var before, after planComparison
	for _, regions := range platformSizes {
		platform, bare := newPlatform(t, documents, regions)
		resources := len(bare.flat)
		t.Logf("%d regions, %d resources: right before the first apply", regions, resources)
		before.add(t, regions, resources, platform.create, bare.create)
		t.Logf("%d regions, %d resources: right after it", regions, resources)
		after.add(t, regions, resources, platform.refresh, bare.refresh)
	}
	section(t, "plan_of_a_platform_before_it_is_applied_beside_its_bare_resources", before)
	section(t, "plan_of_an_applied_platform_beside_its_bare_resources", after)
	t.Log("before the first apply" + before.table())
	t.Log("of what is applied" + after.table())
}

// add measures one size.
func (c *planComparison) add(t *testing.T, regions, resources int, platform, bare func(*testing.T) run) {
	t.Helper()
	result := planResult{Regions: regions, Resources: resources, Aim: 1.2}
	var seconds, bareSeconds, ratios, cpu, bareCPU, cpuRatios []float64
	first := func() {
		r := platform(t)
		seconds, cpu = append(seconds, r.seconds), append(cpu, r.cpuSeconds)
	}
	second := func() {
		r := bare(t)
		bareSeconds, bareCPU = append(bareSeconds, r.seconds), append(bareCPU, r.cpuSeconds)
	}
	for range planRounds {
		first()
		second()
		first, second = second, first
		last := len(seconds) - 1
		ratios, cpuRatios = append(ratios, seconds[last]/bareSeconds[last]), append(cpuRatios, cpu[last]/bareCPU[last])
	}
	result.Seconds, result.Min, result.Max = rounded(median(seconds)), rounded(slices.Min(seconds)), rounded(slices.Max(seconds))
	result.Bare, result.BareMin, result.BareMax = rounded(median(bareSeconds)), rounded(slices.Min(bareSeconds)), rounded(slices.Max(bareSeconds))
	result.CPUSeconds, result.BareCPU = rounded(median(cpu)), rounded(median(bareCPU))
	result.Ratio, result.CPURatio = rounded(median(ratios)), rounded(median(cpuRatios))
	c.Runs, c.Sizes = planRounds, append(c.Sizes, result)
	smallest := c.Sizes[0]
	c.Growth, c.BareGrowth = rounded(result.Seconds/smallest.Seconds), rounded(result.Bare/smallest.Bare)
	c.ResourcesGrowth = rounded(float64(result.Resources) / float64(smallest.Resources))
}

// table shows the comparison to people.
func (c planComparison) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, ", median of %d plans (from the fastest to the slowest)\n", c.Runs)
	for _, r := range c.Sizes {
		fmt.Fprintf(&b, "%d regions, %3d resources: modules %s (%s to %s), bare %s (%s to %s), ratio %.2f, of CPU time %.2f (aim: at most %.1f)\n", r.Regions, r.Resources,
			inSeconds(r.Seconds), inSeconds(r.Min), inSeconds(r.Max), inSeconds(r.Bare), inSeconds(r.BareMin), inSeconds(r.BareMax), r.Ratio, r.CPURatio, r.Aim)
	}
	fmt.Fprintf(&b, "from %d to %d regions: time grows by %.2f, bare by %.2f, resources by %.2f (aim: time no more than resources)",
		c.Sizes[0].Regions, c.Sizes[len(c.Sizes)-1].Regions, c.Growth, c.BareGrowth, c.ResourcesGrowth)
	return b.String()
}

// plannable is a workspace with both an applied state and, in another file, none.
type plannable struct {
	w *synapsedtest.Workspace
	// applied and empty are the environments for a lab where everything is there, and for one where nothing is.
	applied, empty map[string]string
	flat           []flatResource
}

// newPlatform applies a platform to a lab, and returns it beside its bare resources.
func newPlatform(t *testing.T, documents gcplab.Documents, regions int) (platform, bare plannable) {
	t.Helper()
	applied, empty := startLab(t, documents), startLab(t, documents)
	platform = plannable{w: synapsedtest.NewPlainWorkspace(t, nil), applied: applied, empty: empty}
	platform.w.CopyRoot(t, platformRoot)
	variables, err := json.Marshal(platformVariables(regions))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(platform.w.Dir, "terraform.tfvars.json"), variables, 0o600))
	googleprovider.Require(t, platform.w)
	platform.w.Run(t, "init", "-input=false")

	platform.use(applied)
	platform.w.Run(t, "plan", "-input=false", "-out=create")
	created := platform.w.Run(t, "show", "-json", "create")
	platform.w.Run(t, "apply", "-input=false", "-parallelism=50", "create")
	// What was computed at the end of an apply, Google knows better.
	platform.w.Run(t, "apply", "-input=false", "-auto-approve", "-refresh-only")
	shown := platform.w.Run(t, "show", "-json")
	schemas := platform.w.Run(t, "providers", "schema", "-json")
	state, err := os.ReadFile(filepath.Join(platform.w.Dir, "terraform.tfstate"))
	require.NoError(t, err)

	flat := flatten(t, created, shown, schemas)
	bare = plannable{applied: applied, empty: empty, flat: flat, w: synapsedtest.NewPlainWorkspace(t, map[string]string{
		"versions.tf":       string(flatVersions(t, platform.w)),
		"main.tf":           flatConfiguration(flat),
		"terraform.tfstate": flatState(t, state, flat),
	})}
	googleprovider.Require(t, bare.w)
	bare.w.Run(t, "init", "-input=false")
	for _, p := range []plannable{platform, bare} {
		p.use(applied)
		p.w.Run(t, "plan", "-input=false", "-detailed-exitcode") // which is not zero for a plan that is not empty
		p.use(empty)
		output := p.w.Run(t, "plan", "-input=false", "-state="+noState)
		require.Contains(t, output, fmt.Sprintf("Plan: %d to add, 0 to change, 0 to destroy.", len(flat)))
	}
	return platform, bare
}

// noState is a file that is not there.
const noState = "none.tfstate"

func (p plannable) use(lab map[string]string) {
	for name, value := range lab {
		p.w.Env[name] = value
	}
}

// create plans what is to be created where nothing is.
func (p plannable) create(t *testing.T) run {
	t.Helper()
	p.use(p.empty)
	return measure(t, p.w, nil, "plan", "-state="+noState)
}

// refresh plans what is there already, and changes nothing.
func (p plannable) refresh(t *testing.T) run {
	t.Helper()
	p.use(p.applied)
	return measure(t, p.w, nil, "plan", "-detailed-exitcode")
}

// startLab runs an offline Google Cloud until the test ends, and returns the environment with which the provider uses it.
func startLab(t *testing.T, documents gcplab.Documents) map[string]string {
	t.Helper()
	cloud := gcplab.New(documents, engine.Options{
		Projects: []engine.Project{{ID: "synapse-bench", Number: "100000000009"}}, Token: labToken, OperationTime: time.Millisecond,
	})
	server := httptest.NewServer(gcplab.Handler(cloud, labToken))
	t.Cleanup(server.Close)
	return gcplab.Environment(server.URL, labToken)
}

// platformVariables is the example's production with a number of regions.
func platformVariables(count int) map[string]any {
	regions := object{}
	for n, region := range platformRegions[:count] {
		var zones []string
		for _, zone := range region.zones {
			zones = append(zones, region.name+"-"+string(zone))
		}
		regions[region.name] = object{
			"cidr":          fmt.Sprintf("10.0.%d.0/20", 16*n),
			"pods_cidr":     fmt.Sprintf("10.%d.0.0/14", 64+4*n),
			"services_cidr": fmt.Sprintf("10.128.%d.0/20", 16*n),
			"zones":         zones,
			"database":      object{"tier": "db-perf-optimized-N-8", "disk_size": 500},
		}
	}
	return object{
		"project_id": "synapse-bench", "project_number": "100000000009", "name": "synapse-bench",
		"regions": regions, "private_services_cidr": "10.192.0.0/16",
		"database": object{
			"home_region": platformRegions[0].name, "dr_region": platformRegions[1].name,
			"databases": object{"synapse": object{}}, "users": object{"synapsed@synapse-bench.iam": object{}},
		},
		"load_balancer": object{
			"domains": []string{"synapse.example.com", "api.synapse.example.com"}, "default_backend": "monolith",
			"monolith": object{"internet": object{"fqdn": "legacy.synapse.example.com"}},
			"services": object{"auth": object{}, "orders": object{"max_rate_per_endpoint": 200}},
			"routes": object{
				"auth":   object{"priority": 100, "path_prefixes": []string{"/login"}, "backends": object{"auth": 100}},
				"orders": object{"priority": 300, "path_prefixes": []string{"/orders"}, "backends": object{"orders": 10, "monolith": 90}},
			},
		},
		"dns_zone": "synapse.example.com.",
		"observability": object{
			"channels":      object{"team": object{"type": "email", "target": "oncall@example.com"}},
			"uptime_checks": object{"entry": object{"host": "synapse.example.com", "runbook_url": "https://runbooks.example.com/entry"}},
		},
	}
}

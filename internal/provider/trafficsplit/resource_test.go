package trafficsplit_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	address = "synapse_traffic_split.test"
	path    = "/v1/traffic-splits/login"
)

func at(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

func expect(path tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, path, value)
}

// run runs a test with the CLI against a stand-in for synapsed, whose splits move when the test says so.
func run(t *testing.T, server *providertest.Server, test resource.TestCase) {
	t.Helper()
	environment := map[string]string{"SYNAPSE_ENDPOINT": server.URL, "SYNAPSE_TOKEN": "token"}
	test.IsUnitTest = true
	for i := range test.Steps {
		test.Steps[i].ProtoV6ProviderFactories = map[string]func() (tfprotov6.ProviderServer, error){
			"synapse": provider.New("test", func(name string) string { return environment[name] }).Server,
		}
	}
	resource.Test(t, test)
}

// move lets the split go on.
func move(server *providertest.Server, minutes int, seen synapse.SplitObservation) func() {
	return func() {
		server.Edit(path, func(o *providertest.Object) { o.Observe(seen, time.Unix(1e9+int64(minutes)*60, 0)) })
	}
}

func TestTrafficSplit(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	published := synapse.SplitObservation{Published: true}
	bad := synapse.SplitObservation{Published: true, Measurement: &synapse.SplitMeasurement{Requests: 312, Checks: []synapse.SplitCheckResult{
		{Check: "SLO login", Candidate: new(4.8), Stable: new(0.1), Max: new(1.0), Percent: true, Requests: 312, Failed: true},
	}}}
	empty := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	update := resource.ConfigPlanChecks{
		PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)},
		PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
	}
	directory := func(name string) config.TestStepConfigFunc { return config.StaticDirectory("testdata/" + name) }
	weight := func(auth int64) statecheck.StateCheck {
		return expect(at("current_weights").AtMapKey("auth"), knownvalue.Int64Exact(auth))
	}
	phase := func(phase synapse.SplitPhase) statecheck.StateCheck {
		return expect(at("phase"), knownvalue.StringExact(string(phase)))
	}
	run(t, server, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: directory("weights"),
			ConfigStateChecks: []statecheck.StateCheck{
				expect(at("id"), knownvalue.StringExact("login")), phase(synapse.SplitSteady), weight(10),
				expect(at("stable_backend"), knownvalue.StringExact("monolith")), expect(at("step"), knownvalue.Null()),
			},
		},
		{
			PreConfig: func() {
				server.Edit(path, func(o *providertest.Object) { o.Spec["weights"] = map[string]any{"monolith": 0, "auth": 100} })
			},
			ConfigDirectory: directory("weights"), ConfigPlanChecks: update, ConfigStateChecks: []statecheck.StateCheck{weight(10)},
		},
		{
			ConfigDirectory: directory("progression"), ConfigPlanChecks: update,
			ConfigStateChecks: []statecheck.StateCheck{
				phase(synapse.SplitPreflight), expect(at("observed_revision"), knownvalue.StringExact("r1")),
				expect(at("progression").AtMapKey("steps").AtSliceIndex(0).AtMapKey("hold"), knownvalue.StringExact("10s")),
			},
		},
		{PreConfig: move(server, 1, published), ConfigDirectory: directory("progression"), ConfigPlanChecks: empty,
			ConfigStateChecks: []statecheck.StateCheck{phase(synapse.SplitShifting), weight(5), expect(at("step"), knownvalue.Int64Exact(0))}},
		{PreConfig: move(server, 2, published), ConfigDirectory: directory("progression"), ConfigPlanChecks: empty,
			ConfigStateChecks: []statecheck.StateCheck{phase(synapse.SplitAnalysing)}},
		{PreConfig: move(server, 3, bad), ConfigDirectory: directory("progression"), ConfigPlanChecks: empty,
			ConfigStateChecks: []statecheck.StateCheck{
				phase(synapse.SplitRollingBack), expect(at("last_decision").AtMapKey("action"), knownvalue.StringExact("rollback")),
				expect(at("last_decision").AtMapKey("message"), knownvalue.StringExact("SLO login: candidate 4.8 % bad over 312 requests, limit 1 %, stable 0.1 %")),
				statecheck.ExpectKnownValue("data.synapse_traffic_split.test", at("history"), knownvalue.ListSizeExact(4)),
			}},
		{
			ConfigDirectory: directory("progression"), ResourceName: address,
			ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"timeouts"},
		},
	}})
}

func TestTrafficSplitImportByIdentity(t *testing.T) {
	t.Parallel()
	run(t, providertest.NewServer(t), resource.TestCase{
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{ConfigDirectory: config.StaticDirectory("testdata/weights")},
			{ConfigDirectory: config.StaticDirectory("testdata/weights"), ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithResourceIdentity},
		},
	})
}

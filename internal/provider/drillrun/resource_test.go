package drillrun_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/compare"
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

const address = "synapse_dr_drill_run.test"

func at(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

func expect(path tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, path, value)
}

// run runs a test with the CLI against a stand-in for synapsed.
func run(t *testing.T, server *providertest.Server, test resource.TestCase) {
	t.Helper()
	environment := map[string]string{"SYNAPSE_ENDPOINT": server.URL, "SYNAPSE_TOKEN": "token"}
	for i := range test.Steps {
		test.Steps[i].ProtoV6ProviderFactories = map[string]func() (tfprotov6.ProviderServer, error){
			"synapse": provider.New("test", func(name string) string { return environment[name] }).Server,
		}
	}
	resource.UnitTest(t, test)
}

func TestDrillRun(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 2})
	directory := config.StaticDirectory("testdata/run")
	empty := []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}
	replaced := resource.ConfigPlanChecks{
		PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace)}, PostApplyPostRefresh: empty,
	}
	release := func(release string) config.Variables {
		return config.Variables{"release": config.StringVariable(release)}
	}
	fails := func(verdict synapse.DrillVerdict) func() {
		return func() { server.Run(providertest.Runs{Verdict: verdict, Message: "the RTO was missed"}) }
	}
	others := statecheck.CompareValue(compare.ValuesDiffer())
	run(t, server, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: directory, ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: empty},
			ConfigStateChecks: []statecheck.StateCheck{
				others.AddStateValue(address, at("name")),
				expect(at("name"), knownvalue.StringRegexp(regexp.MustCompile(`^drill-[0-9a-f]{8}$`))), expect(at("verdict"), knownvalue.StringExact("passed")),
				expect(at("rto"), knownvalue.StringExact("1.84s")), expect(at("timeline"), knownvalue.ListPartial(map[int]knownvalue.Check{0: knownvalue.NotNull()})),
				statecheck.ExpectKnownValue("synapse_dr_drill.test", at("last_run"), knownvalue.Null()),
				statecheck.ExpectKnownValue("data.synapse_dr_drill_run.test", at("lost_markers"), knownvalue.Int64Exact(3)),
				statecheck.ExpectKnownValue("data.synapse_dr_drill_runs.test", at("dr_drill_runs"), knownvalue.ListSizeExact(1)),
				statecheck.ExpectKnownValue("data.synapse_dr_drill_report.test", at("verified"), knownvalue.Bool(true)),
			},
		},
		{ConfigDirectory: directory, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: empty, PostApplyPostRefresh: empty}},
		{
			ConfigDirectory: directory, ConfigVariables: release("2"), ConfigPlanChecks: replaced,
			ConfigStateChecks: []statecheck.StateCheck{
				others.AddStateValue(address, at("name")),
				statecheck.ExpectKnownValue("data.synapse_dr_drill_runs.test", at("dr_drill_runs"), knownvalue.ListSizeExact(2)),
			},
		},
		{
			ConfigDirectory: directory, ConfigVariables: release("2"), ResourceName: address, ImportState: true, ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"timeouts"},
		},
		{
			PreConfig: fails(synapse.VerdictFailed), ConfigDirectory: directory, ConfigVariables: release("3"),
			ExpectError: regexp.MustCompile(`ended as failed`),
		},
		{
			// It is tainted, and runs again.
			PreConfig: fails(""), ConfigDirectory: directory, ConfigVariables: release("3"), ConfigPlanChecks: replaced,
			ConfigStateChecks: []statecheck.StateCheck{expect(at("verdict"), knownvalue.StringExact("passed"))},
		},
		{
			PreConfig: fails(synapse.VerdictInconclusive), ConfigDirectory: directory,
			ConfigVariables:   config.Variables{"release": config.StringVariable("4"), "fail_on": config.ListVariable(config.StringVariable("failed"))},
			ConfigPlanChecks:  replaced,
			ConfigStateChecks: []statecheck.StateCheck{expect(at("verdict"), knownvalue.StringExact("inconclusive"))},
		},
	}})
}

func TestDrillRunImportByIdentity(t *testing.T) {
	t.Parallel()
	run(t, providertest.NewServer(t), resource.TestCase{
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{ConfigDirectory: config.StaticDirectory("testdata/run")},
			{ConfigDirectory: config.StaticDirectory("testdata/run"), ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithResourceIdentity},
		},
	})
}

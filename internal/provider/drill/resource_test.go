package drill_test

import (
	"testing"

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

const address = "synapse_dr_drill.test"

func at(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

func expect(path tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, path, value)
}

func directory(name string) config.TestStepConfigFunc {
	return config.StaticDirectory("testdata/" + name)
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

func TestDrill(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.CheckReferences()
	empty := []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}
	run(t, server, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: directory("minimal"), ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: empty},
			ConfigStateChecks: []statecheck.StateCheck{
				expect(at("id"), knownvalue.StringExact("region-loss")), expect(at("scenario").AtMapKey("method"), knownvalue.StringExact("kill")),
				expect(at("objectives"), knownvalue.Null()), expect(at("approval").AtMapKey("required"), knownvalue.Null()),
				expect(at("evidence").AtMapKey("invalidate_on"), knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("policy")})),
				expect(at("definition_digest"), knownvalue.NotNull()), expect(at("evidence_status"), knownvalue.StringExact("never")),
				expect(at("next_run_at"), knownvalue.Null()), expect(at("last_run"), knownvalue.Null()),
			},
		},
		{
			ConfigDirectory: directory("full"),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)}, PostApplyPostRefresh: empty,
			},
			ConfigStateChecks: []statecheck.StateCheck{
				expect(at("windows").AtMapKey("dates").AtSliceIndex(0).AtMapKey("from"), knownvalue.StringExact("2026-11-20T00:00:00+01:00")),
				expect(at("next_run_at"), knownvalue.StringExact("2001-09-10T01:00:00Z")),
				statecheck.ExpectKnownValue("data.synapse_dr_drill.test", at("active_run"), knownvalue.Null()),
				statecheck.ExpectKnownValue("data.synapse_dr_drills.test", at("dr_drills").AtMapKey("region-loss").AtMapKey("on_destroy"), knownvalue.StringExact("refuse")),
			},
		},
		{
			PreConfig: func() {
				server.Edit("/v1/dr-drills/region-loss", func(o *providertest.Object) {
					o.Status["evidence"] = synapse.EvidenceStale
					o.Status["last_run"] = synapse.DrillLastRun{Name: "first", Verdict: synapse.VerdictFailed, RTO: "41s"}
				})
			},
			ConfigDirectory: directory("full"), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: empty, PostApplyPostRefresh: empty},
			ConfigStateChecks: []statecheck.StateCheck{
				expect(at("evidence_status"), knownvalue.StringExact("stale")), expect(at("last_run").AtMapKey("rto"), knownvalue.StringExact("41s")),
			},
		},
		{ConfigDirectory: directory("full"), ResourceName: address, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"timeouts"}},
	}})
}

func TestDrillImportByIdentity(t *testing.T) {
	t.Parallel()
	run(t, providertest.NewServer(t), resource.TestCase{
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{ConfigDirectory: directory("minimal")},
			{ConfigDirectory: directory("minimal"), ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithResourceIdentity},
		},
	})
}

package failover_test

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
)

const address = "synapse_failover_policy.test"

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

func TestFailoverPolicy(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.CheckReferences()
	empty := []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}
	run(t, server, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: directory("minimal"), ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: empty},
			ConfigStateChecks: []statecheck.StateCheck{
				expect(at("id"), knownvalue.StringExact("checkout")), expect(at("mode"), knownvalue.StringExact("manual")),
				expect(at("steps"), knownvalue.ListSizeExact(4)), expect(at("steps").AtSliceIndex(0).AtMapKey("timeout"), knownvalue.StringExact("30s")),
				expect(at("detection").AtMapKey("quorum"), knownvalue.Int64Exact(2)),
				expect(at("active_region"), knownvalue.StringExact("eu")), expect(at("readiness").AtMapKey("target"), knownvalue.StringExact("us")),
				expect(at("last_transition"), knownvalue.Null()),
			},
		},
		{
			ConfigDirectory: directory("full"),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)}, PostApplyPostRefresh: empty,
			},
			ConfigStateChecks: []statecheck.StateCheck{
				expect(at("steps").AtSliceIndex(1).AtMapKey("timeout"), knownvalue.StringExact("1h")),
				expect(at("steps").AtSliceIndex(2).AtMapKey("percent"), knownvalue.Null()),
				statecheck.ExpectKnownValue("data.synapse_failover_policy.test", at("transitions"), knownvalue.ListSizeExact(0)),
				statecheck.ExpectKnownValue("data.synapse_failover_policies.test", at("failover_policies").AtMapKey("checkout").AtMapKey("residency"), knownvalue.StringExact("hold")),
				statecheck.ExpectKnownValue("data.synapse_readiness.test", at("checks").AtSliceIndex(0).AtMapKey("ok"), knownvalue.Bool(true)),
			},
		},
		{
			PreConfig: func() {
				server.Edit("/v1/failover-policies/checkout", func(o *providertest.Object) { o.Status["active_region"] = "us" })
			},
			ConfigDirectory: directory("full"), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: empty, PostApplyPostRefresh: empty},
			ConfigStateChecks: []statecheck.StateCheck{expect(at("active_region"), knownvalue.StringExact("us"))},
		},
		{ConfigDirectory: directory("full"), ResourceName: address, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"timeouts"}},
	}})
}

func TestFailoverPolicyImportByIdentity(t *testing.T) {
	t.Parallel()
	run(t, providertest.NewServer(t), resource.TestCase{
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{ConfigDirectory: directory("minimal")},
			{ConfigDirectory: directory("minimal"), ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithResourceIdentity},
		},
	})
}

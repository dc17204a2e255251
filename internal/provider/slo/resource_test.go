package slo_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
)

const address = "synapse_slo.test"

func TestSLO(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"SYNAPSE_ENDPOINT": providertest.NewServer(t).URL, "SYNAPSE_TOKEN": "token"}
	at := func(name string) tfjsonpath.Path { return tfjsonpath.New(name) }
	expect := func(path tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(address, path, value)
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"synapse": provider.New("test", func(name string) string { return environment[name] }).Server,
		},
		Steps: []resource.TestStep{
			{
				ConfigDirectory: config.TestStepDirectory(),
				ConfigStateChecks: []statecheck.StateCheck{
					expect(at("id"), knownvalue.StringExact("login")), expect(at("window"), knownvalue.StringExact("720h")),
					expect(at("rules_yaml"), knownvalue.NotNull()),
					expect(at("alerting").AtMapKey("page_labels").AtMapKey("severity"), knownvalue.StringExact("page")),
					statecheck.ExpectKnownValue("data.synapse_error_budget.test", at("remaining"), knownvalue.Float64Exact(-50)),
					statecheck.ExpectKnownValue("data.synapse_slos.test", at("slos").AtMapKey("login").AtMapKey("objective"), knownvalue.Float64Exact(99.9)),
				},
			},
			{
				ConfigDirectory: config.TestStepDirectory(), // latency, and labels of one's own
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)},
					PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
				},
				ConfigStateChecks: []statecheck.StateCheck{
					expect(at("threshold"), knownvalue.StringExact("250ms")),
					expect(at("alerting").AtMapKey("ticket_labels").AtMapKey("severity"), knownvalue.StringExact("ticket")),
				},
			},
			{
				ConfigDirectory: config.StaticDirectory("testdata/TestSLO/2"), ResourceName: address,
				ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"timeouts"},
			},
		},
	})
}

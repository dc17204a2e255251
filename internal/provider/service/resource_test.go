package service_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/acctest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const address = "synapse_service.test"

func TestService(t *testing.T) {
	daemon := synapsedtest.Start(t)
	acctest.Run(t, daemon, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: config.TestStepDirectory(),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("port"), knownvalue.Int64Exact(8080)),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("health_path"), knownvalue.StringExact("/healthz")),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("tenant"), knownvalue.StringExact("optional")),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("rewrite_responses"), knownvalue.Bool(true)),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("url"), knownvalue.NotNull()),
				statecheck.ExpectKnownValue("data.synapse_service.test", tfjsonpath.New("protocol"), knownvalue.StringExact("http")),
				statecheck.ExpectKnownValue("data.synapse_services.test", tfjsonpath.New("services").AtMapKey("auth").AtMapKey("id"), knownvalue.StringExact("auth")),
			},
		},
		{
			ConfigDirectory: config.TestStepDirectory(),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("owner"), knownvalue.StringExact("identity")),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("tenant"), knownvalue.StringExact("required")),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("rewrite_responses"), knownvalue.Bool(false)),
			},
		},
		{
			ConfigDirectory: config.StaticDirectory("testdata/TestService/2"),
			ResourceName:    address, ImportState: true, ImportStateVerify: true,
		},
		{
			ConfigDirectory: config.TestStepDirectory(), // another name is another service
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace),
			}},
		},
		{ConfigDirectory: config.TestStepDirectory(), ExpectError: acctest.Says("already exists")},
	}})
}

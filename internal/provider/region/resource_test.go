package region_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/acctest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const address = "synapse_region.test"

func at(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

func TestRegion(t *testing.T) {
	daemon := synapsedtest.Start(t)
	acctest.Run(t, daemon, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: config.TestStepDirectory(),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, at("id"), knownvalue.StringExact("eu-west")),
				statecheck.ExpectKnownValue(address, at("runtime"), knownvalue.StringExact(string(synapse.RuntimeLocal))),
				statecheck.ExpectKnownValue(address, at("database_role"), knownvalue.StringExact(string(synapse.DatabasePrimary))),
				statecheck.ExpectKnownValue(address, at("health"), knownvalue.StringExact("healthy")),
				statecheck.ExpectKnownValue(address, at("gateway_url"), knownvalue.NotNull()),
				statecheck.ExpectKnownValue(address, at("labels_all"), knownvalue.MapSizeExact(0)),
			},
		},
		{
			ConfigDirectory: config.TestStepDirectory(), // labels come
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, at("labels_all"), knownvalue.MapExact(map[string]knownvalue.Check{
					"continent": knownvalue.StringExact("europe"), "team": knownvalue.StringExact("platform"),
				})),
			},
		},
		{
			ConfigDirectory: config.StaticDirectory("testdata/TestRegion/2"),
			ResourceName:    address, ImportState: true, ImportStateVerify: true,
			// A default label and one of the resource's own look alike to an import.
			ImportStateVerifyIgnore: []string{"labels"},
		},
		{ConfigDirectory: config.TestStepDirectory(), ExpectError: acctest.Says("must be lower-case letters")},
		{ConfigDirectory: config.TestStepDirectory(), ExpectError: acctest.Says("the gateway's port already")},
		{ConfigDirectory: config.StaticDirectory("testdata/TestRegion/2")}, // what is valid again can be destroyed
	}})
}

func TestRegionImportByIdentity(t *testing.T) {
	daemon := synapsedtest.Start(t)
	acctest.Run(t, daemon, resource.TestCase{
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		Steps: []resource.TestStep{
			{ConfigDirectory: config.TestNameDirectory()},
			{
				ConfigDirectory: config.TestNameDirectory(), ResourceName: address,
				ImportState: true, ImportStateKind: resource.ImportBlockWithResourceIdentity,
			},
		},
	})
}

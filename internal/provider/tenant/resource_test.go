package tenant_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/acctest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const address = "synapse_tenant.test"

func at(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

func expect(name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, at(name), value)
}

func text(value string) knownvalue.Check { return knownvalue.StringExact(value) }

func TestTenant(t *testing.T) {
	daemon := synapsedtest.Start(t)
	acctest.Run(t, daemon, resource.TestCase{
		Steps: []resource.TestStep{
			{
				ConfigDirectory: config.TestStepDirectory(), // a region and the smallest tenant, in one run
				ConfigStateChecks: []statecheck.StateCheck{
					expect("id", text("acme")), expect("tier", text("standard")), expect("phase", text("Ready")),
					expect("deletion_protection", knownvalue.Bool(true)), expect("purge_after", knownvalue.Null()),
					expect("database", knownvalue.NotNull()), expect("schema", knownvalue.NotNull()),
					expect("endpoints", knownvalue.MapSizeExact(1)),
					statecheck.ExpectKnownValue(address, at("isolation").AtMapKey("database"), text("pool")),
				},
			},
			{
				ConfigDirectory: config.TestStepDirectory(), // nearly everything changes in place
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					expect("tier", text("enterprise")), expect("state", text("suspended")), expect("home_region", text("eu-west")),
					statecheck.ExpectKnownValue(address, at("quotas").AtMapKey("burst"), knownvalue.Int64Exact(13)),
				},
			},
			{
				ConfigDirectory: config.StaticDirectory("testdata/TestTenant/2"),
				ResourceName:    address, ImportState: true, ImportStateVerify: true,
			},
			{ConfigDirectory: config.TestStepDirectory(), ExpectError: acctest.Says("the data cannot be moved from pool to silo")},
			{ConfigDirectory: config.TestStepDirectory(), ExpectError: acctest.Says("is not one of allowed_regions")},
			{ConfigDirectory: config.TestStepDirectory(), ExpectError: acctest.Says("does not exist")},
			{ConfigDirectory: config.StaticDirectory("testdata/TestTenant/2"), Destroy: true, ExpectError: acctest.Says("is protected from deletion")},
			{ConfigDirectory: config.TestStepDirectory()}, // the protection goes, so that the test can clean up
		},
		CheckDestroy: func(*terraform.State) error {
			kept, err := client.Get[synapse.TenantSpec, synapse.TenantStatus](t.Context(), daemon.Client(), synapse.Key{Kind: synapse.KindTenant, Name: "acme"})
			require.True(t, client.IsNotFound(err) || kept.Deleting(), "%v %v", kept, err)
			return nil
		},
	})
}

func TestTenantIsolations(t *testing.T) {
	daemon := synapsedtest.Start(t)
	acctest.Run(t, daemon, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: config.TestNameDirectory(),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("data.synapse_tenants.all", at("tenants"), knownvalue.MapSizeExact(3)),
				statecheck.ExpectKnownValue("data.synapse_tenants.strict", at("tenants").AtMapKey("silo").AtMapKey("isolation").AtMapKey("database"), text("silo")),
			},
		},
	}})
}

func TestTenantChangedBySomeoneElse(t *testing.T) {
	daemon := synapsedtest.Start(t)
	acctest.Run(t, daemon, resource.TestCase{Steps: []resource.TestStep{
		{ConfigDirectory: config.TestNameDirectory()},
		{
			PreConfig: func() {
				c, key := daemon.Client(), synapse.Key{Kind: synapse.KindTenant, Name: "acme"}
				acme, err := client.Get[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, key)
				require.NoError(t, err)
				acme.Spec.Tier = synapse.TierFree
				_, err = client.Update[synapse.TenantSpec, synapse.TenantStatus](t.Context(), c, key.Kind, synapse.Draft[synapse.TenantSpec]{Name: key.Name, Spec: acme.Spec}, acme.ResourceVersion, client.WriteOptions{})
				require.NoError(t, err)
			},
			ConfigDirectory: config.TestNameDirectory(),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{expect("tier", text("standard"))},
		},
	}})
}

func TestTenantCredentials(t *testing.T) {
	daemon := synapsedtest.Start(t)
	acctest.Run(t, daemon, resource.TestCase{
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_10_0)},
		Steps: []resource.TestStep{{
			ConfigDirectory: config.TestStepDirectory(),
		}, {
			ConfigDirectory: config.TestStepDirectory(),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("echo.credentials", at("data").AtMapKey("username"), knownvalue.NotNull()),
				statecheck.ExpectKnownValue("echo.credentials", at("data").AtMapKey("database"), knownvalue.NotNull()),
			},
		}},
	})
}

package requesttimeouts_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/acctest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// configurations are resources with a place for their request_timeouts.
var configurations = map[string]string{
	"synapse_service": `
resource "synapse_service" "test" {
  name = "auth"
  %s
}`,
	"synapse_traffic_split": `
resource "synapse_traffic_split" "test" {
  name     = "login"
  route    = { path_prefix = "/login" }
  backends = { monolith = { role = "stable", url = "http://127.0.0.1:8080" } }
  weights  = { monolith = 100 }
  %s
}`,
}

func TestRequestTimeoutsInTerraform(t *testing.T) {
	for kind, configuration := range configurations {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			address := kind + ".test"
			config := func(timeouts string) string { return fmt.Sprintf(configuration, timeouts) }
			text := knownvalue.StringExact
			step := func(timeouts string, action plancheck.ResourceActionType, want knownvalue.Check) resource.TestStep {
				return resource.TestStep{
					Config: config(timeouts),
					ConfigPlanChecks: resource.ConfigPlanChecks{
						PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)},
						PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
					},
					ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New("request_timeouts"), want)},
				}
			}
			object := func(connect, response, idle, abandonedAfter knownvalue.Check) knownvalue.Check {
				return knownvalue.ObjectExact(map[string]knownvalue.Check{
					"connect": connect, "response": response, "idle": idle, "abandoned_after": abandonedAfter,
				})
			}
			const all = `request_timeouts = { connect = "1s", response = "90s", idle = "10m", abandoned_after = "500ms" }`
			acctest.Run(t, synapsedtest.Start(t), resource.TestCase{Steps: []resource.TestStep{
				{Config: config(`request_timeouts = { idle = "" }`), ExpectError: acctest.Says("request_timeouts.idle: must not be empty: write a number with a unit, such as 30s")},
				step(`request_timeouts = { response = "90s" }`, plancheck.ResourceActionCreate, object(knownvalue.Null(), text("90s"), knownvalue.Null(), knownvalue.Null())),
				step(all, plancheck.ResourceActionUpdate, object(text("1s"), text("90s"), text("10m"), text("500ms"))),
				{Config: config(all), ResourceName: address, ImportState: true, ImportStateVerify: true},
				step(`request_timeouts = { connect = "1000ms", response = "1m30s", idle = "600s", abandoned_after = "0.5s" }`, plancheck.ResourceActionNoop,
					object(text("1s"), text("90s"), text("10m"), text("500ms"))),
				step("", plancheck.ResourceActionUpdate, knownvalue.Null()),
			}})
		})
	}
}

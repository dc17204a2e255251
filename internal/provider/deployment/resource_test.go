package deployment_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/acctest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

const address = "synapse_service_deployment.test"

func at(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

func expect(path tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, path, value)
}

func TestDeployment(t *testing.T) {
	daemon := synapsedtest.Start(t)
	variables := config.Variables{
		"image":   config.StringVariable(daemon.Push(synapsedtest.Build(t, "./examples/services/auth"), "auth:v1")),
		"missing": config.StringVariable(daemon.Registry + "/auth:v9"),
	}
	revisions := statecheck.CompareValue(compare.ValuesDiffer())
	acctest.Run(t, daemon, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: config.TestStepDirectory(), ConfigVariables: variables, // region, service and deployment in one run
			ConfigStateChecks: []statecheck.StateCheck{
				expect(at("id"), knownvalue.StringExact("auth/v1")), expect(at("phase"), knownvalue.StringExact("Ready")),
				expect(at("image_digest"), knownvalue.StringRegexp(digest)), expect(at("live_revision"), knownvalue.NotNull()),
				expect(at("regions").AtMapKey("eu-west").AtMapKey("max_replicas"), knownvalue.Int64Exact(1)),
				expect(at("status").AtMapKey("eu-west").AtMapKey("ready"), knownvalue.Int64Exact(1)),
				revisions.AddStateValue(address, at("live_revision")),
			},
		},
		{
			ConfigDirectory: config.TestStepDirectory(), ConfigVariables: variables, // another environment is another revision
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(address, at("desired_revision"), knownvalue.StringRegexp(regexp.MustCompile(`^r[0-9a-f]{8}$`))),
				plancheck.ExpectKnownValue(address, at("image_digest"), knownvalue.StringRegexp(digest)),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				revisions.AddStateValue(address, at("live_revision")),
				statecheck.CompareValuePairs(address, at("live_revision"), address, at("desired_revision"), compare.ValuesSame()),
				expect(at("status").AtMapKey("eu-west").AtMapKey("ready"), knownvalue.Int64Exact(2)),
				statecheck.ExpectKnownValue("data.synapse_service_deployments.test", at("service_deployments").AtMapKey("auth/v1").AtMapKey("service"), knownvalue.StringExact("auth")),
			},
		},
		{
			ConfigDirectory: config.StaticDirectory("testdata/TestDeployment/2"), ConfigVariables: variables,
			ResourceName: address, ImportState: true, ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"timeouts"},
		},
		{ConfigDirectory: config.TestStepDirectory(), ConfigVariables: variables, ExpectError: acctest.Says("v9")},
		{ConfigDirectory: config.TestStepDirectory(), ConfigVariables: variables, ExpectError: acctest.Says("does not exist")},
	}})
}

func TestDeploymentThatFails(t *testing.T) {
	daemon := synapsedtest.Start(t)
	variables := config.Variables{
		"image":  config.StringVariable(daemon.Push(synapsedtest.Build(t, "./examples/services/auth"), "auth:v1")),
		"broken": config.StringVariable(daemon.Push(synapsedtest.Build(t, "./internal/provider/deployment/testdata/crash"), "crash:v1")),
	}
	acctest.Run(t, daemon, resource.TestCase{Steps: []resource.TestStep{
		{ConfigDirectory: config.TestStepDirectory(), ConfigVariables: variables},
		{ConfigDirectory: config.TestStepDirectory(), ConfigVariables: variables, ExpectError: acctest.Says("no such table: orders")},
		{
			// Nothing changed in the configuration, and the next plan still has work to do.
			ConfigDirectory: config.StaticDirectory("testdata/TestDeploymentThatFails/2"), ConfigVariables: variables,
			PlanOnly: true, ExpectNonEmptyPlan: true,
		},
		{
			ConfigDirectory: config.StaticDirectory("testdata/TestDeploymentThatFails/1"), ConfigVariables: variables,
			ConfigStateChecks: []statecheck.StateCheck{expect(at("phase"), knownvalue.StringExact("Ready"))},
		},
	}})
}

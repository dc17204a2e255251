package trafficsplit_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/acctest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

type serving struct {
	t      *testing.T
	daemon *synapsedtest.Daemon
}

func (s serving) split() *synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus] {
	found, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](s.t.Context(), s.daemon.Client(), synapse.Key{Kind: synapse.KindTrafficSplit, Name: "login"})
	require.NoError(s.t, err)
	return found
}

func (s serving) deployment() synapse.DeploymentStatus {
	key := synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v2"}
	found, err := client.Get[synapse.DeploymentSpec, synapse.DeploymentStatus](s.t.Context(), s.daemon.Client(), key)
	require.NoError(s.t, err)
	return found.Status
}

// act does something to the split, and waits for what follows.
func (s serving) act(action synapse.SplitEventType, phase synapse.SplitPhase) {
	_, err := s.daemon.Client().SplitAction(s.t.Context(), "login", string(action), synapse.SplitRequest{})
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool { return s.split().Status.State.Phase == phase }, time.Minute, 50*time.Millisecond)
}

// A deployment that serves everything is not changed behind the back of the split: the plan says no, before anything happens.
func TestWhatServesEverythingIsNotChangedWithoutAnAnalysis(t *testing.T) {
	daemon := synapsedtest.Start(t)
	s := serving{t, daemon}
	image := config.StringVariable(daemon.Push(synapsedtest.Build(t, "./examples/services/auth"), "auth:v1"))
	variables := func(candidate, v1, v2 string) config.Variables {
		return config.Variables{"image": image, "candidate": config.StringVariable(candidate),
			"greetings": config.MapVariable(map[string]config.Variable{"v1": config.StringVariable(v1), "v2": config.StringVariable(v2)})}
	}
	directory := config.StaticDirectory("testdata/serving")
	revision := tfjsonpath.New("progression").AtMapKey("revision")
	const v1, v2 = "synapse_service_deployment.v1", "synapse_service_deployment.v2"
	var first synapse.DeploymentStatus
	unchanged := resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	acctest.Run(t, daemon, resource.TestCase{Steps: []resource.TestStep{
		{
			ConfigDirectory: directory, ConfigVariables: variables("v2", "a", "a"),
			ConfigPlanChecks: unchanged,
		},
		{ // what a plan says of another revision of the candidate is what comes, and the split sees it
			ConfigDirectory: directory, ConfigVariables: variables("v2", "a", "b"),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue(v2, tfjsonpath.New("desired_revision"), knownvalue.NotNull()),
					plancheck.ExpectKnownValue(address, revision, knownvalue.NotNull()),
				},
				PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
			},
		},
		{
			PreConfig: func() {
				s.act(synapse.SplitPromote, synapse.SplitCompleted)
				first = s.deployment()
			},
			ConfigDirectory: directory, ConfigVariables: variables("v2", "a", "c"),
			ExpectError: acctest.Says(`backend "v2" already serves everything since revision`),
		},
		{
			PreConfig: func() { require.Equal(t, first.DesiredRevision, s.deployment().DesiredRevision, "nothing was changed") },
			// The other one is the candidate now.
			ConfigDirectory: directory, ConfigVariables: variables("v1", "d", "b"),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply:             []plancheck.PlanCheck{plancheck.ExpectKnownValue(v1, tfjsonpath.New("desired_revision"), knownvalue.NotNull())},
				PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
			},
			ConfigStateChecks: []statecheck.StateCheck{expect(at("stable_backend"), knownvalue.StringExact("v2"))},
		},
		{ // A, B, A: the first one was rolled back
			PreConfig:       func() { s.act(synapse.SplitRollback, synapse.SplitRolledBack) },
			ConfigDirectory: directory, ConfigVariables: variables("v1", "e", "b"), ConfigPlanChecks: unchanged,
		},
		{
			ConfigDirectory: directory, ConfigVariables: variables("v1", "d", "b"),
			ExpectError: acctest.Says("does not start again by itself"),
		},
	}})
}

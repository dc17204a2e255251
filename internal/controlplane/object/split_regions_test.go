package object_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// inTwoRegions has a region us more, where v1 runs as well, the silo tenant initech, that is served in eu only, and its own deployments.
func inTwoRegions(t *testing.T) *splitWorld {
	t.Helper()
	w := newSplitWorld(t)
	kinds := object.NewKinds()
	mustCreate(t, object.NewCollection(w.backend, kinds.Region), `{"name":"us","spec":{}}`)
	mustCreate(t, w.tenants, `{"name":"initech","spec":{"home_region":"eu","allowed_regions":["eu"],"isolation":{"database":"silo","compute":"silo"}}}`)
	for _, name := range []string{"own1", "own2"} {
		mustCreate(t, w.deployments, `{"name":"`+name+`","parent":"auth","spec":{"image":"auth:v1","tenant":"initech","regions":{"eu":{}}}}`)
	}
	_, err := w.deploy("v1", `{"image":"auth:v1","regions":{"eu":{},"us":{}}}`, false)
	require.NoError(t, err)
	return w
}

func (w *splitWorld) deploy(name, spec string, dryRun bool) (synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus], error) {
	w.t.Helper()
	key := synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: name}
	return w.deployments.Update(w.t.Context(), key, []byte(`{"name":"`+name+`","parent":"auth","spec":`+spec+`}`), object.UpdateOptions{IfMatch: "*", DryRun: dryRun})
}

func TestAProgressionToADeploymentThatServesOnlySomeRegionsIsRefused(t *testing.T) {
	t.Parallel()
	candidate := func(backend synapse.SplitBackend) func(*synapse.TrafficSplitSpec) {
		backend.Role = synapse.RoleCandidate
		return func(s *synapse.TrafficSplitSpec) { s.Backends["new"] = backend }
	}
	const pointer = "/spec/backends/new/deployment"
	for name, test := range map[string]struct {
		change        func(*synapse.TrafficSplitSpec)
		pointer, says string
	}{
		"one region": {nil, pointer, `service deployment "auth/v2" serves eu, and not us`},
		"one region with waves": {func(s *synapse.TrafficSplitSpec) {
			s.Progression.Waves = []synapse.SplitWave{{Regions: []string{"eu"}}, {Regions: []string{"us"}}}
		}, pointer, "Of its waves, wave 1 (eu) would fit; wave 2 (us) would not; regions in no wave go with the last one"},
		"a url": {candidate(synapse.SplitBackend{URL: "http://127.0.0.1:1"}), "", ""},
		"all regions": {func(s *synapse.TrafficSplitSpec) {
			s.Backends = map[string]synapse.SplitBackend{"old": {Role: synapse.RoleStable, Deployment: "auth/v2"}, "new": {Role: synapse.RoleCandidate, Deployment: "auth/v1"}}
		}, "", ""},
		"static weights": {func(s *synapse.TrafficSplitSpec) {
			s.Progression, s.Weights = nil, map[string]int{"old": 90, "new": 10}
		}, "", ""},
		"a tenant's own deployment for everybody": {candidate(synapse.SplitBackend{Deployment: "auth/own2"}), pointer, `serves tenant "initech" alone`},
		"a tenant's own deployments, where that may be served": {func(s *synapse.TrafficSplitSpec) {
			s.Backends = map[string]synapse.SplitBackend{"old": {Role: synapse.RoleStable, Deployment: "auth/own1"}, "new": {Role: synapse.RoleCandidate, Deployment: "auth/own2"}}
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inTwoRegions(t)
			_, err := w.splits.Create(t.Context(), draft(t, "login", canary(test.change)), object.CreateOptions{DryRun: true})
			if test.pointer == "" {
				require.NoError(t, err)
				return
			}
			refused(t, err, test.pointer, test.says)
		})
	}
	t.Run("the error names the deployment for programs", func(t *testing.T) {
		t.Parallel()
		_, err := inTwoRegions(t).create("login", nil)
		p, ok := errors.AsType[*synapse.Problem](err)
		require.True(t, ok)
		require.Equal(t, synapse.CodeRegionNotServed, p.Errors[0].Code)
		require.Equal(t, "auth/v2", p.Errors[0].Reference.ID())
	})
	t.Run("what runs already can be changed", func(t *testing.T) {
		t.Parallel()
		w := newSplitWorld(t)
		before, err := w.create("login", nil)
		require.NoError(t, err)
		w.state(before, func(*synapse.SplitState) {})
		mustCreate(t, object.NewCollection(w.backend, object.NewKinds().Region), `{"name":"us","spec":{}}`)
		pin := func(s *synapse.TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} }
		_, err = w.update("login", pin)
		require.NoError(t, err)
		_, err = w.update("login", func(s *synapse.TrafficSplitSpec) { pin(s); s.Progression.Revision = "r2" })
		refused(t, err, pointer, "and not us")
	})
}

func TestAWeightOfADeploymentThatServesOnlySomeRegionsIsWarnedOf(t *testing.T) {
	t.Parallel()
	w := inTwoRegions(t)
	made, err := w.splits.Create(t.Context(), draft(t, "login", canary(func(s *synapse.TrafficSplitSpec) {
		s.Progression, s.Weights = nil, map[string]int{"old": 90, "new": 10}
	})), object.CreateOptions{DryRun: true})
	require.NoError(t, err)
	require.Len(t, made.Warnings, 1)
	require.Equal(t, "/spec/weights/new", made.Warnings[0].Pointer)
	require.Contains(t, made.Warnings[0].Message, "does not run in us: there the stable backend serves its share")
}

func TestADeploymentDoesNotLeaveARegionThatAProgressionMovesToIt(t *testing.T) {
	t.Parallel()
	w := inTwoRegions(t)
	const both, eu = `{"image":"auth:v1","regions":{"eu":{},"us":{}}}`, `{"image":"auth:v1","regions":{"eu":{}}}`
	_, err := w.deploy("v2", both, false)
	require.NoError(t, err)
	before, err := w.create("login", nil)
	require.NoError(t, err)
	w.state(before, func(*synapse.SplitState) {})
	_, err = w.deploy("v2", eu, true)
	refused(t, err, "/spec/regions", `revision "r1" of traffic split "login" is moving the users of every region to this deployment, those of us too`)

	would, err := w.deploy("v1", eu, true)
	require.NoError(t, err, "the stable backend may: another region serves")
	require.Len(t, would.Warnings, 1)
	require.Contains(t, would.Warnings[0].Message, `sends 90 % of the traffic of region "us" to this deployment`)

	w.state(before, func(s *synapse.SplitState) { s.Phase = synapse.SplitRolledBack })
	_, err = w.deploy("v2", eu, false)
	require.NoError(t, err)
}

func TestAChangeOfWhatServesIsWarnedOf(t *testing.T) {
	t.Parallel()
	completed := func(s *synapse.SplitState) {
		s.Phase, s.Stable, s.Weights = synapse.SplitCompleted, "new", map[string]int{"old": 0, "new": 100}
	}
	const env = `{"image":"auth:v1","regions":{"eu":{}},"env":{"BREAK":"1"}}`
	for name, test := range map[string]struct {
		state         func(*synapse.SplitState)
		spec          string
		pointer, says string // of the warning, or nothing
	}{
		"an environment of one that serves everything": {completed, env, "/spec/env", `traffic split "login" sends 100 % of the traffic to this deployment, its backend "new", and no progression watches them: they all get the change at once, without an analysis`},
		"its image":                   {completed, `{"image":"auth:v9","regions":{"eu":{}}}`, "/spec/image", "100 %"},
		"the environment of a region": {completed, `{"image":"auth:v1","regions":{"eu":{"env":{"A":"b"}}}}`, "/spec/regions", "100 %"},
		"replicas":                    {completed, `{"image":"auth:v1","regions":{"eu":{"min_replicas":3}}}`, "", ""},
		"a candidate that is watched": {func(*synapse.SplitState) {}, env, "", ""},
		"a candidate that is paused":  {func(s *synapse.SplitState) { s.Phase = synapse.SplitPaused }, env, "/spec/env", "10 % of the traffic"},
		"a candidate that has nobody": {func(s *synapse.SplitState) {
			s.Phase, s.Weights = synapse.SplitRolledBack, map[string]int{"old": 100, "new": 0}
		}, env, "", ""},
		"a candidate in another region": {func(s *synapse.SplitState) {
			s.Phase, s.RegionWeights = synapse.SplitFrozen, map[string]map[string]int{"eu": {"old": 70, "new": 30}}
		}, env, "/spec/env", "30 %"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSplitWorld(t)
			before, err := w.create("login", nil)
			require.NoError(t, err)
			w.state(before, test.state)
			would, err := w.deploy("v2", test.spec, true)
			require.NoError(t, err)
			if test.pointer == "" {
				require.Empty(t, would.Warnings)
				return
			}
			require.Len(t, would.Warnings, 1)
			require.Equal(t, test.pointer, would.Warnings[0].Pointer)
			require.Contains(t, would.Warnings[0].Message, test.says)
			_, err = w.deploy("v2", test.spec, false)
			require.NoError(t, err)
			stored, err := w.backend.Store.Get(t.Context(), before.Key())
			require.NoError(t, err)
			require.NotContains(t, string(stored.Status), "warnings")
		})
	}
	t.Run("tenants that are pinned to it count", func(t *testing.T) {
		t.Parallel()
		w := newSplitWorld(t)
		before, err := w.create("login", func(s *synapse.TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} })
		require.NoError(t, err)
		w.state(before, func(s *synapse.SplitState) {
			s.Phase, s.Weights = synapse.SplitRolledBack, map[string]int{"old": 100, "new": 0}
		})
		would, err := w.deploy("v2", env, true)
		require.NoError(t, err)
		require.Contains(t, would.Warnings[0].Message, `sends the pinned tenant "acme" to`)
	})
}

func TestAWriteResolvesItsImageOnceAndKnowsItsRevision(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t)
	kind, tags, asked := object.NewKinds().ServiceDeployment, map[string]string{"auth:v4": "d1"}, []string(nil)
	kind.Resolve = object.ResolveImages(func(_ context.Context, image string) (reference, digest string, err error) {
		asked = append(asked, image)
		if image == "auth@d1" {
			return image, "d1", nil
		}
		digest, known := tags[image]
		if !known {
			return "", "", errors.New("there is no such tag")
		}
		return "auth@" + digest, digest, nil
	})
	w.deployments = object.NewCollection(w.backend, kind)
	create := func(env string, dryRun bool) (synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus], error) {
		body := `{"name":"v4","parent":"auth","spec":{"image":"auth:v4","env":{"A":"` + env + `"},"regions":{"eu":{}}}}`
		return w.deployments.Create(t.Context(), []byte(body), object.CreateOptions{DryRun: dryRun})
	}
	would, err := create("1", true)
	require.NoError(t, err)
	require.Equal(t, "d1", would.Status.ImageDigest)
	require.Equal(t, would.Spec.Revision("d1"), would.Status.DesiredRevision)
	made, err := create("1", false)
	require.NoError(t, err)
	require.Equal(t, would.Status.DesiredRevision, made.Status.DesiredRevision)

	tags["auth:v4"] = "d2"
	changed, err := w.deploy("v4", `{"image":"auth:v4","env":{"A":"2"},"regions":{"eu":{}}}`, false)
	require.NoError(t, err)
	require.Equal(t, "d1", changed.Status.ImageDigest, "an image that did not change keeps its digest, wherever the tag points")
	require.Equal(t, changed.Spec.Revision("d1"), changed.Status.DesiredRevision)
	require.Equal(t, "auth@d1", asked[len(asked)-1])
	stored, err := w.deployments.Get(t.Context(), changed.Key())
	require.NoError(t, err)
	text, err := json.Marshal(stored.Status)
	require.NoError(t, err)
	require.Contains(t, string(text), changed.Status.DesiredRevision)

	_, err = w.deploy("v4", `{"image":"auth:v5","regions":{"eu":{}}}`, true)
	refused(t, err, "/spec/image", "the image cannot be used: there is no such tag")
}

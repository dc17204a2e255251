package reconcile

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestTheSalt(t *testing.T) {
	t.Parallel()
	chosen := func(t *testing.T, w *world, change func(*split)) string {
		t.Helper()
		s := split{Meta: synapse.Meta{Kind: synapse.KindTrafficSplit, Name: "login", UID: "uid-1"}}
		s.Spec.Backends = map[string]synapse.SplitBackend{"a": {Role: synapse.RoleCandidate}, "b": {Role: synapse.RoleCandidate}, "old": {Role: synapse.RoleStable}}
		s.Spec.Weights = map[string]int{"a": 20, "b": 30, "old": 50}
		s.Spec.Affinity = &synapse.Affinity{Key: synapse.AffinityTenant}
		change(&s)
		require.NoError(t, TrafficSplits{Store: w.Store, Now: w.Now}.chooseSalt(t.Context(), &s))
		return s.Status.State.Salt
	}
	w := newWorld(t)
	var names []string
	for i := range 60 {
		acme := tenant{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: fmt.Sprintf("tenant-%02d", i)}}
		if i >= 50 {
			acme.DeletionRequestedAt = new(w.at)
		} else {
			names = append(names, acme.Name)
		}
		put(t, w, acme)
	}
	balanced := synapse.BalancedSalt("uid-1", names, []int{20, 70})
	require.NotEqual(t, "uid-1", balanced)
	for _, test := range []struct {
		name, salt string
		change     func(*split)
	}{
		{"fits the tenants that are served, and the bounds between the backends", balanced, func(*split) {}},
		{"fits the steps of a progression", synapse.BalancedSalt("uid-1", names, []int{10, 100}), func(s *split) {
			s.Spec.Weights, s.Spec.Progression = nil, &synapse.Progression{Steps: []synapse.SplitStep{{Weight: 10}, {Weight: 100}}}
		}},
		{"is the split's own with other keys", "uid-1", func(s *split) { s.Spec.Affinity.Key = synapse.AffinityCookie }},
		{"is the split's own without affinity", "uid-1", func(s *split) { s.Spec.Affinity = nil }},
		{"stays once it is chosen", "before", func(s *split) { s.Status.State.Salt = "before" }},
		{"is what the spec says, also later", "mine", func(s *split) { s.Status.State.Salt, s.Spec.Affinity.Salt = "before", "mine" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.salt, chosen(t, w, test.change))
		})
	}
}

func TestTheSaltOutlivesChangesOfASplit(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	salt := w.run(synapse.SplitAnalysing).Status.State.Salt
	require.NotEmpty(t, salt)
	require.Equal(t, salt, w.wanted.State.Salt, "the gateways got it")
	put(t, w.world, tenant{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: "late"}})
	_, err := w.splits.Update(t.Context(), w.key, []byte(progression("r2", threeSteps)), object.UpdateOptions{IfMatch: "*"})
	require.NoError(t, err)
	require.Equal(t, salt, w.run(synapse.SplitCompleted).Status.State.Salt)
}

func TestAnSLOBecomesRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slos := SLOs{Now: w.Now, Rules: func(name string, spec synapse.SLOSpec) (string, error) {
		if spec.Objective == 0 {
			return "", fmt.Errorf("no objective")
		}
		return "rules of " + name, nil
	}}
	s := synapse.Object[synapse.SLOSpec, synapse.SLOStatus]{Meta: synapse.Meta{Kind: synapse.KindSLO, Name: "errors", Generation: 1}}
	_, err := slos.Reconcile(t.Context(), &s)
	var permanent *runtime.PermanentError
	require.ErrorAs(t, err, &permanent)

	s.Spec.Objective = 99.9
	_, err = slos.Reconcile(t.Context(), &s)
	require.NoError(t, err)
	require.Equal(t, "rules of errors", s.Status.RulesYAML)
	require.Equal(t, synapse.PhaseReady, s.Status.Phase)

	s.DeletionRequestedAt = new(w.at)
	result, err := slos.Reconcile(t.Context(), &s)
	require.NoError(t, err)
	require.True(t, result.Gone)
}

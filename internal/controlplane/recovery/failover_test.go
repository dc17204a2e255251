package recovery

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// lose breaks a region as no drill does.
func (w *world) lose(region string) {
	w.regions[region].down["gateway"], w.regions[region].down["database"] = true, true
}

func (w *world) repair(region string) { w.regions[region].down = map[string]bool{} }

func (w *world) act(action string, request synapse.FailoverRequest) error {
	policies := object.NewCollection(w.backend, w.kinds.FailoverPolicy)
	_, err := object.ActOnPolicy(w.t.Context(), policies, policyKey, action, request, object.Caller{Name: "ann"}, false)
	return err
}

func (w *world) reason() string {
	p := w.readPolicy()
	return p.Status.Condition(synapse.ConditionReady).Reason
}

func (w *world) message() string {
	p := w.readPolicy()
	return p.Status.Message()
}

func (w *world) awaitTransitions(count int) policy {
	w.t.Helper()
	w.until("a transition has ended", []synapse.Key{policyKey}, func() bool { return len(w.readPolicy().Status.History) >= count })
	return w.readPolicy()
}

func TestALostRegionFailsOverByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("automatic", "synchronous", "0s")
	require.Equal(t, "eu", w.settle().Status.ActiveRegion)
	require.True(t, w.readPolicy().Status.Readiness.Ready, w.readPolicy().Status.Readiness.Why())
	lost := w.at
	w.lose("eu")
	p := w.awaitTransitions(1)
	last := p.Status.LastTransition()
	require.Equal(t, synapse.TransitionCompleted, last.Phase, last.Message)
	require.Equal(t, "us", p.Status.ActiveRegion)
	require.Less(t, last.EndedAt.Sub(lost), 2*time.Second, "the wait for a quorum, and little more")
	require.Equal(t, []string{"fence eu", "promote us", "shift traffic to us"}, w.effects)
	require.True(t, w.accepts("us"))
	require.Nil(t, p.Status.Lock)
}

func TestAPolicyIsReadyWhenWritesWaitForTheStandby(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.syncFrom = w.at.Add(3 * time.Second)
	w.policy("automatic", "synchronous", "0s")
	p := w.settle()
	require.False(t, w.at.Before(w.syncFrom), "a drill that began earlier would be refused")
	require.True(t, p.Status.Readiness.Ready, p.Status.Readiness.Why())
}

func TestAPolicyDoesNotWaitForAStandbyThatIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lose("us")
	w.lose("ap")
	w.policy("automatic", "synchronous", "0s")
	p := w.settle()
	require.False(t, p.Status.Readiness.Ready)
}

func TestAFailureThatIsTooShortOrSeenByTooFewIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("automatic", "asynchronous", "5s")
	w.settle()
	for range 5 {
		w.lose("eu")
		for range 8 {
			w.pass(policyKey)
			w.advance(100 * time.Millisecond)
		}
		w.repair("eu")
		w.advance(200 * time.Millisecond)
	}
	require.Empty(t, w.effects)
	require.Empty(t, w.readPolicy().Status.History)
}

func TestAFailoverByItselfRespectsCooldownAndDailyLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("automatic", "asynchronous", "5s")
	w.settle()
	w.lose("eu")
	w.awaitTransitions(1)
	w.repair("eu")
	w.advance(2 * time.Second)
	w.lose("us")
	w.until("it is held", []synapse.Key{policyKey}, func() bool { return w.reason() == "Held" })
	require.Contains(t, w.message(), "cooldown")
	require.Len(t, w.readPolicy().Status.History, 1)
	w.at = w.at.Add(11 * time.Minute)
	p := w.awaitTransitions(2)
	require.Equal(t, "eu", p.Status.ActiveRegion)
	w.repair("us")
	w.at = w.at.Add(11 * time.Minute)
	w.advance(2 * time.Second)
	w.lose("eu")
	w.until("it is held again", []synapse.Key{policyKey}, func() bool { return w.reason() == "Held" })
	require.Contains(t, w.message(), "max_automatic_per_day")
}

func TestNoFailoverGoesWhereATenantDoesNotAllowIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("automatic", "asynchronous", "5s")
	w.settle()
	w.put(synapse.KindTenant, "", "acme", `{"allowed_regions":["eu"]}`) // after the policy: nobody was asked
	w.lose("eu")
	w.until("there is no standby", []synapse.Key{policyKey}, func() bool { return w.reason() == "NoStandby" })
	require.Contains(t, w.message(), "acme")
	require.Empty(t, w.effects)
}

func TestAManualPolicyWaitsForSomebody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("manual", "asynchronous", "5s")
	w.settle()
	w.lose("eu")
	w.until("it says so", []synapse.Key{policyKey}, func() bool {
		return w.reason() == "RegionFailed"
	})
	require.Empty(t, w.effects)
	require.NoError(t, w.act("failover", synapse.FailoverRequest{Reason: "it burns"}))
	p := w.awaitTransitions(1)
	require.Equal(t, "us", p.Status.ActiveRegion)
	require.Equal(t, "ann", p.Status.LastTransition().By)
	require.False(t, p.Status.LastTransition().Planned)
}

func TestAnAssistedFailoverTouchesNothingBeforeItIsApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("assisted", "asynchronous", "5s")
	w.settle()
	w.lose("eu")
	w.until("it awaits an approval", []synapse.Key{policyKey}, func() bool {
		t := w.readPolicy().Status.Transition
		return t != nil && t.Phase == synapse.TransitionAwaiting
	})
	require.Empty(t, w.effects)
	require.NoError(t, w.act("approve", synapse.FailoverRequest{}))
	require.Equal(t, "us", w.awaitTransitions(1).Status.ActiveRegion)
}

func TestAnAssistedFailoverIsCalledOffWhenTheRegionWorksAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("assisted", "asynchronous", "5s")
	w.settle()
	w.lose("eu")
	w.until("it awaits an approval", []synapse.Key{policyKey}, func() bool {
		t := w.readPolicy().Status.Transition
		return t != nil && t.Phase == synapse.TransitionAwaiting
	})
	w.repair("eu")
	p := w.awaitTransitions(1)
	require.Equal(t, synapse.TransitionFailed, p.Status.LastTransition().Phase)
	require.Contains(t, p.Status.LastTransition().Message, "works again")
	require.Empty(t, w.effects)
	require.Nil(t, p.Status.Lock)
	require.Equal(t, "eu", p.Status.ActiveRegion)
}

func TestAFailoverFromARegionThatWorksLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("manual", "asynchronous", "5s")
	w.settle()
	require.NoError(t, w.act("failover", synapse.FailoverRequest{}))
	p := w.awaitTransitions(1)
	require.True(t, p.Status.LastTransition().Planned)
	require.Equal(t, []string{"switch over to us", "shift traffic to us"}, w.effects)
	require.NoError(t, w.act("failback", synapse.FailoverRequest{}))
	p = w.awaitTransitions(2)
	require.Equal(t, "eu", p.Status.ActiveRegion)
	require.Empty(t, w.active)
	require.Empty(t, w.drained)
	require.ErrorContains(t, w.act("failback", synapse.FailoverRequest{}), "is active")
}

func TestASwitchoverThatDoesNotComeAboutBecomesAFailoverWhileTheRegionLooksLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("automatic", "synchronous", "0s")
	w.settle()
	w.regions["eu"].down["gateway"], w.stuck = true, true
	p := w.awaitTransitions(1)
	require.Equal(t, synapse.TransitionCompleted, p.Status.LastTransition().Phase, p.Status.LastTransition().Message)
	require.Equal(t, []string{"fence eu", "promote us", "shift traffic to us"}, w.effects)
}

func TestASwitchoverThatDoesNotComeAboutIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("manual", "synchronous", "0s")
	w.settle()
	w.stuck = true
	require.NoError(t, w.act("failover", synapse.FailoverRequest{}))
	p := w.awaitTransitions(1)
	require.Equal(t, synapse.TransitionFailed, p.Status.LastTransition().Phase)
	require.Equal(t, "eu", p.Status.ActiveRegion)
	require.Empty(t, w.effects)
	require.True(t, w.accepts("eu"))
}

func TestThePreferredRegionTakesOverAgainByItselfOnceItIsFit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("automatic", "asynchronous", "5s")
	policies := object.NewCollection(w.backend, w.kinds.FailoverPolicy)
	_, err := policies.Change(t.Context(), policyKey, object.Caller{}, "update", func(p *policy) error {
		p.Spec.Failback.Mode, p.Spec.Limits.Cooldown = synapse.FailbackAutomatic, "0s"
		return nil
	})
	require.NoError(t, err)
	w.settle()
	w.lose("eu")
	w.awaitTransitions(1)
	w.advance(time.Minute)
	w.repair("eu")
	repaired := w.at
	p := w.awaitTransitions(2)
	require.Equal(t, "eu", p.Status.ActiveRegion)
	require.Equal(t, synapse.TransitionFailback, p.Status.LastTransition().Kind)
	require.GreaterOrEqual(t, p.Status.LastTransition().StartedAt.Sub(repaired), 10*time.Second, "it was stable for as long as the policy says")
}

// TestAFailoverSurvivesACrashAtAnyPoint ends the control plane before and after each write and each effect of a failover.
func TestAFailoverSurvivesACrashAtAnyPoint(t *testing.T) {
	t.Parallel()
	points := crashPoints(t, func(t *testing.T, crash func(*world)) {
		w := newWorld(t)
		w.policy("automatic", "synchronous", "0s")
		w.settle()
		w.lose("eu")
		crash(w)
		p := w.awaitTransitions(1)
		require.Equal(t, "us", p.Status.ActiveRegion)
		require.Equal(t, synapse.TransitionCompleted, p.Status.LastTransition().Phase, p.Status.LastTransition().Message)
		require.True(t, w.accepts("us"))
		require.False(t, w.accepts("eu"))
		require.Nil(t, p.Status.Lock)
		require.Equal(t, "us", w.active)
	})
	require.Greater(t, points, 10)
}

// crashPoints plays a story once for each point at which the control plane can end, and returns how many there were.
func crashPoints(t *testing.T, story func(t *testing.T, crash func(*world))) int {
	t.Helper()
	for point := 1; ; point += crashStride {
		crashed := ""
		t.Run(fmt.Sprint("point ", point), func(t *testing.T) { // what a story opens is closed after it
			count := 0
			story(t, func(w *world) {
				w.crash = func(where string) {
					if count++; count == point {
						crashed = where
						panic(errCrashed)
					}
				}
			})
		})
		if crashed == "" || t.Failed() {
			return point - 1
		}
	}
}

package recovery

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// drilled is a world with a policy and a drill, ready for a run.
func drilled(t *testing.T, replication, spec string) *world {
	t.Helper()
	w := newWorld(t)
	rpo := "0s"
	if replication == "asynchronous" {
		rpo = "5s"
	}
	w.policy("manual", replication, rpo)
	w.settle()
	w.drill(spec)
	return w
}

// requireWhole fails unless everything is as it was before the run.
func (w *world) requireWhole(t *testing.T) {
	t.Helper()
	require.Empty(t, w.faults)
	for name := range w.regions {
		require.True(t, w.up(name, "gateway") && w.up(name, "database"), "region %s serves", name)
	}
	w.until("the databases are one whole", nil, func() bool {
		w.advance(100 * time.Millisecond)
		return !slices.ContainsFunc(w.Databases(t.Context()), func(d databaseState) bool { return d.Fenced })
	})
	primaries := 0
	for name := range w.regions {
		if w.accepts(name) {
			primaries++
		}
	}
	require.Equal(t, 1, primaries, "one database takes writes")
	p := w.settle()
	require.Nil(t, p.Status.Lock)
	require.Nil(t, p.Status.Transition)
	require.True(t, w.client == nil || !w.clientEnd.IsZero(), "the client has ended")
}

func (w *world) requireNothingLost(t *testing.T) {
	t.Helper()
	present, err := w.Markers(t.Context(), "")
	require.NoError(t, err)
	for _, seq := range w.acked {
		require.Contains(t, present, seq, "an acknowledged write")
	}
}

func TestADrillOfRegionLossPasses(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", lossDrill)
	w.begin("first")
	r := w.play("first")
	require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
	require.Equal(t, "ann", r.Status.RequestedBy)
	report := r.Status.Report
	require.NoError(t, report.Verify())
	require.Positive(t, report.RTO())
	require.Less(t, report.RTO(), 2*time.Second)
	require.Zero(t, report.Markers.Lost)
	require.Equal(t, "eu", report.ActiveBefore)
	require.Equal(t, "eu", report.ActiveAfter)
	require.Len(t, report.Transitions, 2, "a failover, and back")
	require.Len(t, report.Objectives, 5)
	for _, line := range report.Objectives {
		require.True(t, line.Met, "%+v", line)
	}
	require.Equal(t, []string{
		"start client", "start loss", "fence eu", "promote us", "shift traffic to us", "end fault",
		"switch over to eu", "shift traffic to ", "stop client",
	}, w.effects)
	w.requireWhole(t)
	w.requireNothingLost(t)
}

func TestTheLossOfAsynchronousReplicationIsMeasured(t *testing.T) {
	t.Parallel()
	w := drilled(t, "asynchronous", lossDrill)
	w.behind = 4
	w.begin("first")
	r := w.play("first")
	require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
	present, err := w.Markers(t.Context(), "")
	require.NoError(t, err)
	lost := 0
	for _, seq := range w.acked {
		if !slices.Contains(present, seq) {
			lost++
		}
	}
	require.Equal(t, 4, lost)
	require.EqualValues(t, lost, r.Status.Report.Markers.Lost)
	require.Equal(t, synapse.Duration("200ms"), r.Status.Report.Markers.LostSpan)
}

func TestAMissedObjectiveFailsTheRun(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", strings.Replace(lossDrill, `"max_duration"`, `"objectives":{"rto":"500ms","rpo":"0s"},"max_duration"`, 1))
	w.begin("first")
	r := w.play("first")
	require.Equal(t, synapse.VerdictFailed, r.Status.Verdict)
	require.Contains(t, r.Status.Message, "rto")
	w.requireWhole(t)
}

func TestARunThatDoesNotHoldTheFaultIsJudgedByTheRest(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", strings.Replace(lossDrill, `"hold":"2s"`, `"hold":"0s"`, 1))
	w.begin("first")
	r := w.play("first")
	require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
	require.Len(t, r.Status.Report.Objectives, 4)
}

func TestTheOtherScenariosDoTheirHarmAndNoMore(t *testing.T) {
	t.Parallel()
	for scenario, effects := range map[string][]string{
		`"database_failover"`:                    {"start client", "start database_stop", "fence eu", "promote us", "shift traffic to us", "end fault", "switch over to eu", "shift traffic to ", "stop client"},
		`"traffic_drain"`:                        {"start client", "start drain", "end fault", "stop client"},
		`"dependency_latency","latency":"100ms"`: {"start client", "start slow_databases", "end fault", "stop client"},
		`"region_loss","region":"us"`:            {"start client", "start loss", "end fault", "stop client"},
		`"region_loss","method":"partition"`:     {"start client", "start partition", "end fault", "stop client"},
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			w := drilled(t, "synchronous", strings.Replace(lossDrill, `"region_loss"`, scenario, 1))
			w.begin("first")
			r := w.play("first")
			require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
			require.Equal(t, effects, w.effects)
			w.requireWhole(t)
			w.requireNothingLost(t)
		})
	}
}

func TestAPlanTouchesNothing(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", lossDrill)
	runs := object.NewCollection(w.backend, w.kinds.DrillRun)
	_, err := runs.Create(t.Context(), []byte(`{"name":"plan","spec":{"drill":"loss","mode":"plan_only"}}`), object.CreateOptions{})
	require.NoError(t, err)
	r := w.play("plan")
	require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
	require.Empty(t, w.effects)
	require.Len(t, r.Status.Steps, 1)
}

func TestARunIsRefusedWithoutAnyEffect(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, spec string
		prepare    func(t *testing.T, w *world)
		says       string
	}{
		{"the standby's database is down", lossDrill, func(_ *testing.T, w *world) { w.regions["us"].down["database"] = true; w.advance(time.Second) }, "no standby works"},
		{"the standby has not rejoined", lossDrill, func(_ *testing.T, w *world) {
			w.regions["us"].fenced, w.regions["us"].rejoinAt = true, w.at.Add(time.Hour)
		}, "has not rejoined"},
		{"the standby has no replicas", lossDrill, func(_ *testing.T, w *world) { w.ready("eu") }, "0 replicas ready in us"},
		{"telemetry is missing", strings.Replace(lossDrill, `"observe":"2s"`, `"observe":"2s","slo":"errors"`, 1), func(_ *testing.T, w *world) { w.noFigures = errors.New("no figures") }, "telemetry is missing"},
		{"the objective is not met before", strings.Replace(lossDrill, `"observe":"2s"`, `"observe":"2s","slo":"errors"`, 1), func(_ *testing.T, w *world) { w.percent = 3 }, "not met before the drill"},
		{"the window is blocked", strings.Replace(lossDrill, `"max_duration"`, `"windows":{"block":[{"from":"00:00","to":"24:00"}]},"max_duration"`, 1), func(*testing.T, *world) {}, "windows.block[0] is open"},
		{"dates are blocked", strings.Replace(lossDrill, `"max_duration"`, `"windows":{"dates":[{"from":"2026-11-20T00:00:00Z","to":"2026-12-31T00:00:00Z","reason":"peak season"}]},"max_duration"`, 1), func(*testing.T, *world) {}, "peak season"},
		{"an approval is needed", lossDrill, func(_ *testing.T, w *world) { w.runs.Environment = synapse.Production }, "needs an approval, and has none"},
		{"who approved also asks", lossDrill, func(t *testing.T, w *world) {
			w.runs.Environment = synapse.Production
			w.approve(t, "ann", "")
		}, "which must be two"},
		{"another definition was approved", lossDrill, func(t *testing.T, w *world) {
			w.runs.Environment = synapse.Production
			w.approve(t, "bob", "")
			drills := object.NewCollection(w.backend, w.kinds.Drill)
			_, err := drills.Change(t.Context(), drillKey, object.Caller{}, "update", func(d *drill) error { d.Spec.Scenario.Hold = "3s"; return nil })
			require.NoError(t, err)
		}, "another definition was approved"},
		{"the approval has expired", lossDrill, func(t *testing.T, w *world) {
			w.runs.Environment = synapse.Production
			w.approve(t, "bob", "")
			w.at = w.at.Add(200 * time.Hour)
			w.advance(time.Second)
		}, "has expired"},
		{"another run is under way", lossDrill, func(t *testing.T, w *world) { w.hold(t, "drill run other") }, "held by"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := drilled(t, "asynchronous", lossDrill)
			if test.spec != lossDrill {
				w = newWorld(t)
				w.policy("manual", "asynchronous", "5s")
				w.settle()
				w.put(synapse.KindSLO, "", "errors", `{"service":"auth","sli":"ratio","objective":99}`)
				w.drill(test.spec)
			}
			test.prepare(t, w)
			w.begin("first")
			before := len(w.effects)
			w.until("the run has ended", []synapse.Key{runKey("first")}, func() bool { return w.readRun("first").Status.State == synapse.DrillEnded })
			r := w.readRun("first")
			require.Equal(t, synapse.VerdictRefused, r.Status.Verdict, r.Status.Message)
			require.Contains(t, r.Status.Message, test.says)
			require.Empty(t, w.effects[before:])
			require.Nil(t, r.Status.FaultAt)
		})
	}
}

var drillKey = synapse.Key{Kind: synapse.KindDrill, Name: "loss"}

func (w *world) approve(t *testing.T, by, digest string) {
	t.Helper()
	drills := object.NewCollection(w.backend, w.kinds.Drill)
	if digest == "" {
		d, err := drills.Get(t.Context(), drillKey)
		require.NoError(t, err)
		digest = d.Spec.Digest()
	}
	_, err := object.ApproveDrill(t.Context(), drills, drillKey, synapse.DrillApprovalRequest{Digest: digest}, object.Caller{Name: by})
	require.NoError(t, err)
}

func (w *world) hold(t *testing.T, holder string) {
	t.Helper()
	policies := object.NewCollection(w.backend, w.kinds.FailoverPolicy)
	_, err := policies.Change(t.Context(), policyKey, object.Caller{}, "lock", func(p *policy) error {
		p.Status.Lock = &synapse.MutationLock{Holder: holder, Token: 7, Since: w.at}
		return nil
	})
	require.NoError(t, err)
}

func TestAnApprovalByAnotherLetsTheRunBegin(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", lossDrill)
	w.runs.Environment = synapse.Production
	w.approve(t, "bob", "")
	w.begin("first")
	r := w.play("first")
	require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
	require.Equal(t, "bob", r.Status.Report.ApprovedBy)
}

func TestARunThatWaitsBeginsWhenTheServicesAreFree(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", strings.Replace(lossDrill, `"max_duration"`, `"on_conflict":"wait","max_duration"`, 1))
	w.put(synapse.KindDrillRun, "", "other", `{"drill":"loss"}`)
	w.hold(t, holderOf("other"))
	w.begin("first")
	w.until("it waits", []synapse.Key{runKey("first")}, func() bool { return w.readRun("first").Status.State == synapse.DrillWaiting })
	policies := object.NewCollection(w.backend, w.kinds.FailoverPolicy)
	_, err := policies.Change(t.Context(), policyKey, object.Caller{}, "unlock", func(p *policy) error { p.Status.Lock = nil; return nil })
	require.NoError(t, err)
	require.Equal(t, synapse.VerdictPassed, w.play("first").Status.Verdict)
}

// at plays a run until a step has been stored as running.
func (w *world) playTo(t *testing.T, step synapse.DrillStepName) {
	t.Helper()
	w.begin("first")
	w.until(string(step), []synapse.Key{policyKey, runKey("first")}, func() bool {
		r := w.readRun("first")
		found := r.Status.Step(step)
		return found != nil && found.State == synapse.StepRunning
	})
}

func TestAnAbortUndoesWhatWasDone(t *testing.T) {
	t.Parallel()
	for _, step := range synapse.DrillSteps() {
		t.Run(string(step), func(t *testing.T) {
			t.Parallel()
			w := drilled(t, "synchronous", lossDrill)
			w.playTo(t, step)
			runs := object.NewCollection(w.backend, w.kinds.DrillRun)
			_, err := object.AbortDrillRun(t.Context(), runs, runKey("first"), synapse.DrillAbortRequest{Reason: "enough"}, object.Caller{Name: "bob"})
			require.NoError(t, err)
			r := w.play("first")
			require.Equal(t, synapse.VerdictAborted, r.Status.Verdict)
			require.Contains(t, r.Status.Message, "bob: enough")
			w.requireWhole(t)
			w.requireNothingLost(t)
			require.Equal(t, "eu", w.readPolicy().Status.ActiveRegion)
		})
	}
}

func TestARealFailurePreemptsADrill(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"manual", "automatic"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.policy(mode, "synchronous", "0s")
			w.settle()
			w.drill(strings.Replace(lossDrill, `"region_loss","hold":"2s"`, `"traffic_drain","hold":"1m"`, 1))
			w.playTo(t, synapse.DrillStepHold)
			w.lose("eu")
			w.until("the run is preempted", []synapse.Key{policyKey, runKey("first")}, func() bool {
				r := w.readRun("first")
				return r.Status.Ending != nil
			})
			w.until("the fault is gone", []synapse.Key{policyKey, runKey("first")}, func() bool { return len(w.faults) == 0 })
			if mode == "automatic" {
				require.Equal(t, "us", w.awaitTransitions(1).Status.ActiveRegion, "the failover did not wait for the drill")
			}
			w.repair("eu")
			r := w.play("first")
			require.Equal(t, synapse.VerdictPreempted, r.Status.Verdict, r.Status.Message)
			if mode == "automatic" {
				require.Equal(t, "us", w.settle().Status.ActiveRegion, "the drill reverses no real failover")
			}
		})
	}
}

func TestASplitIsFrozenByADrillAndGoesOnAfterwards(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", lossDrill)
	splits := object.NewCollection(w.backend, w.kinds.TrafficSplit)
	_, err := splits.Create(t.Context(), []byte(`{"name":"login","spec":{"route":{"path_prefix":"/login"},
		"backends":{"old":{"role":"stable","url":"http://127.0.0.1:9000"},"new":{"role":"candidate","deployment":"auth/v1"}},
		"progression":{"revision":"one","steps":[{"weight":10},{"weight":100}],"analysis":{"checks":[{"slo":"errors"}]}}}}`), object.CreateOptions{})
	require.ErrorContains(t, err, "errors") // the SLO is missing: made below
	w.put(synapse.KindSLO, "", "errors", `{"service":"auth","sli":"ratio","objective":99}`)
	created, err := splits.Create(t.Context(), []byte(`{"name":"login","spec":{"route":{"path_prefix":"/login"},
		"backends":{"old":{"role":"stable","url":"http://127.0.0.1:9000"},"new":{"role":"candidate","deployment":"auth/v1"}},
		"progression":{"revision":"one","steps":[{"weight":10},{"weight":100}],"analysis":{"checks":[{"slo":"errors"}]}}}}`), object.CreateOptions{})
	require.NoError(t, err)
	_, err = splits.Change(t.Context(), created.Key(), object.Caller{}, "see", func(s *synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]) error {
		_, err := object.AdvanceSplit(s, synapse.SplitEvent{Type: synapse.SplitObserved}, w.at)
		s.Status.ObservedGeneration = s.Generation
		return err
	})
	require.NoError(t, err)
	phase := func() synapse.SplitState {
		s, err := splits.Get(t.Context(), created.Key())
		require.NoError(t, err)
		return s.Status.State
	}
	before := phase().Phase
	require.True(t, before.Live())
	w.playTo(t, synapse.DrillStepHold)
	require.Equal(t, synapse.SplitFrozen, phase().Phase)
	require.Equal(t, holderOf("first"), phase().FrozenBy)
	require.Equal(t, synapse.VerdictPassed, w.play("first").Status.Verdict)
	require.Equal(t, before, phase().Phase)
}

func TestADeploymentStandsStillDuringADrill(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", lossDrill)
	w.playTo(t, synapse.DrillStepHold)
	deployments := object.NewCollection(w.backend, w.kinds.ServiceDeployment)
	update := func() error {
		_, err := deployments.Update(t.Context(), synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v1"},
			[]byte(`{"name":"v1","parent":"auth","spec":{"image":"auth:v2","regions":{"eu":{},"us":{},"ap":{}}}}`), object.UpdateOptions{IfMatch: "*"})
		return err
	}
	require.ErrorContains(t, update(), "drill run first")
	w.play("first")
	require.NoError(t, update())
}

// TestADrillSurvivesACrashAtAnyPoint ends the control plane before and after each write and each effect of a drill of each
// scenario. Whatever the moment was, the fault is gone afterwards, one database takes writes, and nothing acknowledged is lost.
func TestADrillSurvivesACrashAtAnyPoint(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"region_loss", "database_failover", "traffic_drain", "dependency_latency"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			verdicts := map[synapse.DrillVerdict]int{}
			points := crashPoints(t, func(t *testing.T, crash func(*world)) {
				w := drilled(t, "synchronous", strings.Replace(lossDrill, "region_loss", scenario, 1))
				w.begin("first")
				crash(w)
				r := w.play("first")
				verdicts[r.Status.Verdict]++
				switch r.Status.Verdict {
				case synapse.VerdictInterrupted, synapse.VerdictPassed:
				default:
					require.Fail(t, "the verdict is neither interrupted nor that of a run that went on", "%s: %s\npolicy %+v", r.Status.Verdict, r.Status.Message, w.readPolicy().Status.Transition)
				}
				w.requireWhole(t)
				w.requireNothingLost(t)
				require.Equal(t, "eu", w.readPolicy().Status.ActiveRegion)
				require.NoError(t, r.Status.Report.Verify())
			})
			t.Logf("%s: %d points, %v", scenario, points, verdicts)
			require.Greater(t, points, 60)
			require.Greater(t, verdicts[synapse.VerdictInterrupted], points/crashStride/3)
		})
	}
}

// TestAnotherControlPlaneTakesARunOverWhenItsLeaseHasExpired has two control planes on one runtime, as replicas of a daemon are.
func TestAnotherControlPlaneTakesARunOverWhenItsLeaseHasExpired(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", lossDrill)
	w.shared = true
	w.playTo(t, synapse.DrillStepHold)
	before := w.readRun("first").Status.Lease
	w.restart() // the first one hangs, and is heard of no more
	w.pass(runKey("first"))
	require.Equal(t, before, w.readRun("first").Status.Lease, "its lease counts until it expires")
	require.False(t, w.up("eu", "gateway"), "and so does the fault")
	w.at = before.ExpiresAt
	w.pass(runKey("first"))
	after := w.readRun("first").Status.Lease
	require.NotEqual(t, before.Holder, after.Holder)
	require.Greater(t, after.Token, before.Token, "what the first one still does is refused")
	require.Equal(t, synapse.VerdictInterrupted, w.play("first").Status.Verdict)
	w.requireWhole(t)
	w.requireNothingLost(t)
}

// TestAFaultEndsWithoutAnyControlPlane lets the control plane end in the middle of a drill and never come back.
func TestAFaultEndsWithoutAnyControlPlane(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", lossDrill)
	w.playTo(t, synapse.DrillStepHold)
	require.False(t, w.up("eu", "gateway"))
	w.advance(2 * time.Minute)
	require.True(t, w.up("eu", "gateway"))
}

func TestEvidenceIsFreshUntilWhatItDependsOnChanges(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", strings.Replace(lossDrill, `"max_duration"`, `"evidence":{"max_age":"48h","invalidate_on":["deployments"]},"max_duration"`, 1))
	status := func() synapse.DrillStatus {
		w.pass(drillKey)
		d, err := object.Load[synapse.DrillSpec, synapse.DrillStatus](t.Context(), w.backend.Store, drillKey)
		require.NoError(t, err)
		return d.Status
	}
	require.Equal(t, synapse.EvidenceNever, status().Evidence)
	w.begin("first")
	require.Equal(t, synapse.VerdictPassed, w.play("first").Status.Verdict)
	require.Equal(t, synapse.EvidenceFresh, status().Evidence)
	require.Equal(t, "first", status().LastRun.Name)
	deployments := object.NewCollection(w.backend, w.kinds.ServiceDeployment)
	_, err := deployments.Update(t.Context(), synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v1"},
		[]byte(`{"name":"v1","parent":"auth","spec":{"image":"auth:v2","regions":{"eu":{},"us":{},"ap":{}}}}`), object.UpdateOptions{IfMatch: "*"})
	require.NoError(t, err)
	require.Equal(t, synapse.EvidenceStale, status().Evidence)
	require.Contains(t, status().EvidenceMessage, "deployments")
}

func TestRunsAndReportsOutliveTheDrillForAsLongAsItSaid(t *testing.T) {
	t.Parallel()
	w := drilled(t, "synchronous", strings.Replace(lossDrill, `"max_duration"`, `"evidence":{"max_age":"24h","retain":"48h"},"max_duration"`, 1))
	w.begin("first")
	w.play("first")
	drills := object.NewCollection(w.backend, w.kinds.Drill)
	_, _, err := drills.Delete(t.Context(), drillKey, object.DeleteOptions{})
	require.NoError(t, err)
	w.pass(drillKey)
	_, err = drills.Get(t.Context(), drillKey)
	require.True(t, object.IsGone(err))
	w.at = w.at.Add(47 * time.Hour)
	w.pass(runKey("first"))
	require.NotNil(t, w.readRun("first").Status.Report)
	w.at = w.at.Add(2 * time.Hour)
	runs := object.NewCollection(w.backend, w.kinds.DrillRun)
	for range 3 {
		w.pass(runKey("first"))
	}
	_, err = runs.Get(t.Context(), runKey("first"))
	require.True(t, object.IsGone(err), "the run goes when its time has come")
}

func TestAScheduleMakesRuns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, schedule string
		away           time.Duration // no control plane until then
		runs           []string
	}{
		{"at its time", `{"cron":"0 9 * * *"}`, time.Hour, []string{"loss-202611230900"}},
		{"in its time zone", `{"cron":"0 10 * * *","timezone":"Europe/Berlin"}`, time.Hour, []string{"loss-202611230900"}},
		{"a missed one is skipped", `{"cron":"0 9 * * *"}`, 2 * time.Hour, nil},
		{"or made up for, once", `{"cron":"0 * * * *","missed":"run"}`, 5*time.Hour + 30*time.Minute, []string{"loss-202611231300"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := drilled(t, "synchronous", strings.Replace(lossDrill, `"max_duration"`, `"schedule":`+test.schedule+`,"max_duration"`, 1))
			w.pass(drillKey)
			start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
			w.at = start.Add(test.away)
			for range 3 {
				w.pass(drillKey)
			}
			runs := object.NewCollection(w.backend, w.kinds.DrillRun)
			page, err := runs.List(t.Context(), listAll())
			require.NoError(t, err)
			var names []string
			for _, r := range page.Items {
				names = append(names, r.Name)
				require.Equal(t, "schedule", r.Status.RequestedBy)
			}
			require.Equal(t, test.runs, names)
		})
	}
}

func TestADrillThatIsDeletedWhileItRunsIsUndoneFirst(t *testing.T) {
	t.Parallel()
	for _, onDestroy := range []string{"abort", "refuse"} {
		t.Run(onDestroy, func(t *testing.T) {
			t.Parallel()
			w := drilled(t, "synchronous", strings.Replace(lossDrill, `"max_duration"`, fmt.Sprintf(`"on_destroy":%q,"max_duration"`, onDestroy), 1))
			w.playTo(t, synapse.DrillStepHold)
			drills := object.NewCollection(w.backend, w.kinds.Drill)
			_, _, err := drills.Delete(t.Context(), drillKey, object.DeleteOptions{})
			if onDestroy == "refuse" {
				require.ErrorContains(t, err, "on_destroy is refuse")
				return
			}
			require.NoError(t, err)
			w.until("the drill is gone", []synapse.Key{policyKey, runKey("first"), drillKey}, func() bool {
				_, err := drills.Get(t.Context(), drillKey)
				return object.IsGone(err)
			})
			r := w.readRun("first")
			require.Equal(t, synapse.DrillEnded, r.Status.State)
			require.Equal(t, synapse.VerdictAborted, r.Status.Verdict)
			w.requireWhole(t)
		})
	}
}

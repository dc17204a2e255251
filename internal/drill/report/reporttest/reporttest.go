// Package reporttest has reports of drill runs for tests.
package reporttest

import (
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Began is when the runs of the reports began.
func Began() time.Time { return time.Date(2026, 3, 4, 11, 50, 0, 0, time.UTC) }

// At is a time in seconds after [Began].
func At(seconds float64) *time.Time {
	return new(Began().Add(time.Duration(seconds * float64(time.Second))))
}

// Definition is that of the drill lose-eu.
func Definition() synapse.DrillSpec {
	spec := synapse.DrillSpec{
		FailoverPolicy: "shop", Scenario: synapse.DrillScenarioSpec{Type: synapse.ScenarioRegionLoss, Region: "eu"},
		Objectives: &synapse.RecoveryObjectives{RTO: "30s", RPO: "1s"}, MaxDuration: "10m",
		Load: synapse.DrillLoad{Path: "/auth/healthz", Headers: map[string]string{"X-Synapse-Tenant": "acme"}},
	}
	spec.SetDefaults()
	return spec
}

// Passed is the sealed report of a run that lost the region eu for half a minute, and three writes.
func Passed() *synapse.DrillReport {
	r := &synapse.DrillReport{
		Format: synapse.DrillReportFormat, Run: "lose-eu-20260304", Drill: "lose-eu", Environment: "staging", Policy: "shop",
		Mode: synapse.DrillExecute, Definition: Definition(), RequestedBy: "ci", ApprovedBy: "ann", Reason: "before the release of March",
		Region: "eu", ActiveBefore: "eu", ActiveAfter: "eu", StartedAt: Began(), FaultAt: At(8), EndedAt: *At(62),
		Verdict: synapse.VerdictPassed, Message: "service was back after 3.412s, within 30s, and 3 acknowledged writes of the last 148ms were lost, within 1s",
		Objectives: []synapse.DrillObjective{
			{Name: "rto", Objective: "at most 30s", Measured: "3.412s", Met: true, Message: "from the last good answer before the fault to the first of 5 good ones"},
			{Name: "rpo", Objective: "at most 1s", Measured: "148ms", Met: true, Message: "3 of 1090 acknowledged writes are missing"},
			{Name: "steady_state_before", Objective: "at most 1 % bad", Measured: "0 %", Met: true},
			{Name: "steady_state_during", Objective: "at most 1 % bad", Measured: "0 %", Met: true},
			{Name: "steady_state_after", Objective: "at most 1 % bad", Measured: "0 %", Met: true},
		},
		Requests: synapse.DrillRequests{LastGoodAt: At(7.988), RecoveredAt: At(11.4), Outage: "3.412s"},
		Markers: synapse.DrillMarkers{LostSpan: "148ms", LastGoodAt: At(7.99), RecoveredAt: At(10.802),
			Outage: "2.812s"},
		Steps: steps(), Transitions: transitions(), SamplesSHA256: strings.Repeat("5a", 32),
	}
	r.Timeline, r.BucketLength = timeline(), "250ms"
	for _, bucket := range r.Timeline {
		r.Requests.Sent += int64(bucket.Good + bucket.Bad)
		r.Requests.Good += int64(bucket.Good)
		r.Requests.Bad += int64(bucket.Bad)
		r.Markers.Attempted += int64(bucket.Written + bucket.Lost + bucket.Failed)
		r.Markers.Written += int64(bucket.Written + bucket.Lost)
		r.Markers.Lost += int64(bucket.Lost)
	}
	seal(r)
	return r
}

// Refused is the sealed report of a run whose preflight did not hold.
func Refused() *synapse.DrillReport {
	r := &synapse.DrillReport{
		Format: synapse.DrillReportFormat, Run: "lose-eu-refused", Drill: "lose-eu", Environment: "staging", Policy: "shop",
		Mode: synapse.DrillExecute, Definition: Definition(), RequestedBy: "schedule", Region: "eu", ActiveBefore: "eu", ActiveAfter: "eu",
		StartedAt: Began(), EndedAt: *At(0.2), Verdict: synapse.VerdictRefused,
		Message: "database: the standby in us is 14s behind, at most 10s: wait until it has caught up",
		Steps: []synapse.DrillRunStep{{Name: synapse.DrillStepPreflight, State: synapse.StepFailed, StartedAt: At(0), EndedAt: At(0.2),
			Message: "database: the standby in us is 14s behind, at most 10s"}},
	}
	seal(r)
	return r
}

func seal(r *synapse.DrillReport) {
	r.DefinitionSHA256 = r.Definition.Digest()
	if err := r.Seal(); err != nil {
		panic(err) // strings and numbers always encode
	}
}

func steps() []synapse.DrillRunStep {
	forward := []struct{ from, to, back, undone float64 }{
		{0, .3, 0, 0}, {.3, .4, 61.8, 61.9}, {.4, .5, 61.7, 61.8}, {.5, 2.6, 58.2, 59.6}, {2.6, 7.7, 52.8, 58.2}, {7.7, 7.9, 0, 0},
		{7.9, 7.95, 47.2, 52.8}, {7.95, 8, 17, 47.2}, {8, 10.9, 0, 0}, {10.9, 12, 0, 0}, {12, 17, 0, 0},
	}
	steps := make([]synapse.DrillRunStep, 0, len(forward))
	for i, name := range synapse.DrillSteps() {
		step := synapse.DrillRunStep{Name: name, State: synapse.StepDone, StartedAt: At(forward[i].from), EndedAt: At(forward[i].to), Inverse: name.Inverse()}
		if step.Inverse != "" {
			step.InverseState, step.InverseStarted, step.InverseEnded = synapse.StepDone, At(forward[i].back), At(forward[i].undone)
		}
		steps = append(steps, step)
	}
	steps[7].Message, steps[7].InverseMessage = "9 processes of eu were killed", "eu is healthy again, and its database follows us"
	return steps
}

func transitions() []synapse.Transition {
	step := func(of synapse.FailoverStepType, from, to float64, message string) synapse.TransitionStep {
		return synapse.TransitionStep{FailoverStep: synapse.FailoverStep{Type: of, Timeout: "30s"}, State: synapse.StepDone, StartedAt: At(from), EndedAt: At(to), Message: message}
	}
	return []synapse.Transition{
		{ID: "t-1", Kind: synapse.TransitionFailover, Trigger: "automatic", Reason: "the gateway of eu fails", From: "eu", To: "us", Phase: synapse.TransitionCompleted,
			StartedAt: *At(9.1), EndedAt: At(11.5), Steps: []synapse.TransitionStep{
				step(synapse.StepFence, 9.1, 9.4, "the primary in eu takes no writes"), step(synapse.StepPromoteDatabase, 9.4, 10.7, "us had received all up to 0/5A000148"),
				step(synapse.StepShiftTraffic, 10.7, 10.9, ""), step(synapse.StepVerify, 10.9, 11.5, ""),
			}},
		{ID: "t-2", Kind: synapse.TransitionFailback, Trigger: "drill", By: "lose-eu-20260304", From: "us", To: "eu", Phase: synapse.TransitionCompleted, Planned: true,
			StartedAt: *At(47.3), EndedAt: At(52.7), Steps: []synapse.TransitionStep{
				step(synapse.StepFence, 47.3, 47.5, ""), step(synapse.StepPromoteDatabase, 47.5, 49, ""), step(synapse.StepShiftTraffic, 49, 49.2, ""), step(synapse.StepVerify, 49.2, 52.7, ""),
			}},
	}
}

// timeline is 20 requests and 20 markers each second, in spans of 250 ms, with two outages.
func timeline() []synapse.DrillBucket {
	var buckets []synapse.DrillBucket
	for at := 1.0; at < 59.5; at += .25 {
		bucket := synapse.DrillBucket{At: At(at).UnixMilli(), Good: 5, Written: 5}
		switch {
		case at == 7.75:
			bucket.Written, bucket.Lost = 2, 3
		case at >= 8 && at < 10.75 || at >= 47.5 && at < 48.75:
			bucket.Good, bucket.Bad, bucket.Written, bucket.Failed = 0, 5, 0, 5
		case at >= 10.75 && at < 11.25:
			bucket.Good, bucket.Bad = 2, 3
		}
		buckets = append(buckets, bucket)
	}
	return buckets
}

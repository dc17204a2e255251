package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// measure works out the figures of the report from what the client wrote down and what the database has.
func (r *DrillRuns) measure(ctx context.Context, obj *run, p *policy) error {
	s := &obj.Status
	samples, err := r.samples(obj)
	if err != nil {
		return err
	}
	report := r.blankReport(obj)
	if report.SamplesSHA256, err = r.Runtime.SamplesDigest(obj.Name); err != nil {
		return err
	}
	present, err := r.Runtime.Markers(ctx, obj.Name)
	if err != nil {
		return fmt.Errorf("reading the markers back: %w", err)
	}
	lost, span := measure.Lost(samples, present)
	var requests, markers measure.Outage
	if s.FaultAt != nil {
		requests, markers = outages(duringFault(s, samples), *s.FaultAt)
	}
	report.Requests = measure.Requests(samples, requests)
	report.Markers = measure.Markers(samples, lost, span, markers)
	if len(samples) > 0 {
		first, last := samples[0].Sent(), samples[0].Sent()
		for _, sample := range samples {
			if sent := sample.Sent(); sent.Before(first) {
				first = sent
			} else if sent.After(last) {
				last = sent
			}
		}
		var length time.Duration
		report.Timeline, length = measure.Timeline(samples, lost, first, last, measure.MaxBuckets)
		report.BucketLength = synapse.Duration(length.String())
	}
	if p != nil {
		report.Objectives = objectives(s, p, samples, report)
	}
	s.Report = report
	return nil
}

// duringFault leaves out what was sent after the fault had ended: the failback is no part of recovery.
func duringFault(s *synapse.DrillRunStatus, samples []client.Sample) []client.Sample {
	step := s.Step(synapse.DrillStepInjectFault)
	if step == nil || step.InverseStarted == nil {
		return samples
	}
	var some []client.Sample
	for _, sample := range samples {
		if sample.Sent().Before(*step.InverseStarted) {
			some = append(some, sample)
		}
	}
	return some
}

// objectives compares what was measured with what had to be met.
func objectives(s *synapse.DrillRunStatus, p *policy, samples []client.Sample, report *synapse.DrillReport) []synapse.DrillObjective {
	if s.FaultAt == nil {
		return nil
	}
	wanted := s.Definition.RecoveryObjectives(&p.Spec)
	rto := report.RTO()
	requests, markers := outages(duringFault(s, samples), *s.FaultAt)
	lines := []synapse.DrillObjective{{
		Name: "rto", Objective: "at most " + string(wanted.RTO), Measured: rto.String(),
		Met:     rto <= wanted.RTO.Value() && !out(requests) && !out(markers),
		Message: fmt.Sprintf("requests were out for %s, writes for %s", orElse(string(report.Requests.Outage), "0s"), orElse(string(report.Markers.Outage), "0s")),
	}, {
		Name: "rpo", Objective: "at most " + string(wanted.RPO), Measured: orElse(string(report.Markers.LostSpan), "0s"),
		Met:     report.Markers.LostSpan.Value() <= wanted.RPO.Value() && (wanted.RPO.Value() > 0 || report.Markers.Lost == 0),
		Message: fmt.Sprintf("%d of %d acknowledged writes were lost", report.Markers.Lost, report.Markers.Written),
	}}
	state := s.Definition.SteadyState
	if step := s.Step(synapse.DrillStepSteadyState); step != nil && step.EndedAt != nil {
		lines = append(lines, steadyLine("steady_state_before", state, samples, *step.StartedAt, *step.EndedAt))
		if step.InverseEnded != nil && step.InverseState == synapse.StepDone {
			lines = append(lines, steadyLine("steady_state_after", state, samples, *step.InverseStarted, *step.InverseEnded))
		}
	}
	// Without a hold there is no time in which anybody could look.
	if step := s.Step(synapse.DrillStepHold); step != nil && step.EndedAt != nil && s.Definition.Scenario.Hold.Value() > 0 {
		lines = append(lines, steadyLine("steady_state_during", state, samples, *step.StartedAt, *step.EndedAt))
	}
	slices.SortStableFunc(lines, func(a, b synapse.DrillObjective) int { return lineOrder(a.Name) - lineOrder(b.Name) })
	return lines
}

func lineOrder(name string) int {
	return slices.Index([]string{"rto", "rpo", "steady_state_before", "steady_state_during", "steady_state_after"}, name)
}

func (r *DrillRuns) blankReport(obj *run) *synapse.DrillReport {
	s := &obj.Status
	report := &synapse.DrillReport{
		Format: synapse.DrillReportFormat, Run: obj.Name, Drill: obj.Spec.Drill, Environment: r.Environment, Policy: s.Policy, Mode: obj.Spec.Mode,
		DefinitionSHA256: s.Digest, RequestedBy: s.RequestedBy, ApprovedBy: s.ApprovedBy, Reason: obj.Spec.Reason,
		Region: s.Region, ActiveBefore: s.Active, FaultAt: s.FaultAt,
	}
	if s.Definition != nil {
		report.Definition = *s.Definition
	}
	if s.StartedAt != nil {
		report.StartedAt = *s.StartedAt
	}
	return report
}

// finish decides on the verdict, seals the report and tells the drill.
func (r *DrillRuns) finish(ctx context.Context, obj *run) (reconcile.Result, error) {
	s, now := &obj.Status, r.now()
	d, p, err := r.load(ctx, obj)
	if err != nil {
		return reconcile.Result{}, err
	}
	s.State, s.EndedAt, s.Lease = synapse.DrillEnded, &now, nil
	s.Verdict, s.Message = verdict(obj)
	if s.Definition != nil {
		report := s.Report
		if report == nil {
			report = r.blankReport(obj)
		}
		report.EndedAt, report.Verdict, report.Message, report.Steps = now, s.Verdict, s.Message, slices.Clone(s.Steps)
		if p != nil {
			report.ActiveAfter = p.Status.ActiveRegion
			for _, t := range p.Status.History {
				if !t.StartedAt.Before(*s.StartedAt) {
					report.Transitions = append(report.Transitions, t)
				}
			}
		}
		if err := report.Seal(); err != nil {
			return reconcile.Result{}, err
		}
		s.Report = report
	}
	s.Set(obj.Generation, synapse.PhaseReady, string(s.Verdict), s.Message, now)
	if d == nil || obj.Spec.Mode == synapse.DrillPlanOnly {
		return reconcile.Result{After: soon}, nil
	}
	evidence := ""
	if p != nil {
		if evidence, err = evidenceOf(ctx, r.Backend.Store, p, s.Definition); err != nil {
			return reconcile.Result{}, err
		}
	}
	last := &synapse.DrillLastRun{Name: obj.Name, Verdict: s.Verdict, EndedAt: now, Digest: s.Digest, Evidence: evidence}
	if s.Report != nil && s.FaultAt != nil {
		last.RTO, last.RPO = synapse.Duration(s.Report.RTO().String()), synapse.Duration(orElse(string(s.Report.Markers.LostSpan), "0s"))
	}
	return reconcile.Result{After: soon}, r.note(ctx, obj, func(status *synapse.DrillStatus) {
		status.LastRun = last
		if s.Verdict == synapse.VerdictPassed {
			status.LastPassed = last
		}
		if status.Active == obj.Name {
			status.Active = ""
		}
	})
}

// verdict is how a run ended, and why.
func verdict(obj *run) (synapse.DrillVerdict, string) {
	s := &obj.Status
	for _, step := range s.Steps {
		if step.InverseState == synapse.StepFailed {
			return synapse.VerdictError, fmt.Sprintf("%s was not done in time, look at it now: %s%s", step.Inverse, step.InverseMessage, because(s.Ending))
		}
	}
	if s.Ending != nil {
		return s.Ending.Verdict, s.Ending.Reason
	}
	if obj.Spec.Mode == synapse.DrillPlanOnly {
		return synapse.VerdictPassed, "the preflight holds: a run would begin now. Nothing was touched"
	}
	switch report := s.Report; {
	case report == nil || report.Requests.Good == 0 || report.Markers.Written == 0 || len(report.Objectives) == 0:
		return synapse.VerdictInconclusive, "there are not enough figures to judge by"
	default:
		var missed []string
		for _, line := range report.Objectives {
			if !line.Met {
				missed = append(missed, fmt.Sprintf("%s %s, %s allowed (%s)", line.Name, line.Measured, line.Objective, line.Message))
			}
		}
		if len(missed) > 0 {
			return synapse.VerdictFailed, joined(missed)
		}
		return synapse.VerdictPassed, fmt.Sprintf("RTO %s, RPO %s, %d lost", report.RTO(), orElse(string(report.Markers.LostSpan), "0s"), report.Markers.Lost)
	}
}

func because(ending *synapse.DrillEnding) string {
	if ending == nil {
		return ""
	}
	return fmt.Sprintf(" (the run had ended as %s: %s)", ending.Verdict, ending.Reason)
}

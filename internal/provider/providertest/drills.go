package providertest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Runs says how the runs of drills go.
type Runs struct {
	// Reads is how many reads find a run under way; 0 lets it end at once.
	Reads int
	// Verdict is how it ends; passed if empty.
	Verdict synapse.DrillVerdict
	// Message says why.
	Message string
	// Restores is how many reads find an aborted run being undone.
	Restores int
}

// began is when all runs begin.
var began = time.Unix(1e9, 0).UTC()

// Run sets how the runs of drills go from now on.
func (s *Server) Run(how Runs) { s.locked(func() { s.runs = how }) }

// CheckReferences has policies, drills and runs refused that name what there is not. Without, a test needs only the objects that
// it is about.
func (s *Server) CheckReferences() { s.locked(func() { s.checkReferences = true }) }

// begin lets a new run begin.
func (s *Server) begin(o *Object) {
	o.CreatedAt = began.Add(time.Duration(s.version) * time.Second)
	status := synapse.DrillRunStatus{State: synapse.DrillRunning, StartedAt: &began, RequestedBy: "operator"}
	for i, name := range synapse.DrillSteps() {
		state := synapse.StepPending
		if i < 3 {
			state = synapse.StepDone
		}
		status.Steps = append(status.Steps, synapse.DrillRunStep{Name: name, State: state, StartedAt: &began})
	}
	status.Set(o.Generation, synapse.PhaseProgressing, "Running", "the run is under way", began)
	o.Status = nil
	convert(status, &o.Status)
	s.left[o.Name] = s.runs.Reads
	s.advance(o)
}

// advance lets a run go on by one read.
func (s *Server) advance(o *Object) {
	if status := runOf(o); status.State == synapse.DrillEnded {
		return
	}
	s.touch(o)
	if s.left[o.Name] > 0 {
		s.left[o.Name]--
		return
	}
	s.end(o)
}

// end ends a run: as it was told to, or aborted.
func (s *Server) end(o *Object) {
	status := runOf(o)
	ended := began.Add(time.Minute)
	status.State, status.EndedAt, status.Verdict, status.Message = synapse.DrillEnded, &ended, s.runs.Verdict, s.runs.Message
	if status.Verdict == "" {
		status.Verdict, status.Message = synapse.VerdictPassed, "all objectives were met"
	}
	if status.Ending != nil {
		status.Verdict, status.Message = status.Ending.Verdict, status.Ending.Reason
	}
	for i := range status.Steps {
		step := &status.Steps[i]
		step.State, step.StartedAt, step.EndedAt, step.Inverse = synapse.StepDone, &began, &ended, step.Name.Inverse()
		if step.Inverse != "" {
			step.InverseState, step.InverseStarted, step.InverseEnded = synapse.StepDone, &ended, &ended
		}
	}
	var spec synapse.DrillRunSpec
	convert(o.Spec, &spec)
	if status.Verdict != synapse.VerdictRefused && spec.Mode == synapse.DrillExecute {
		status.Report = s.reportOf(o, spec, status)
		status.Digest = status.Report.DefinitionSHA256
	}
	status.Set(o.Generation, synapse.PhaseReady, "Ended", status.Message, ended)
	o.Status = nil
	convert(status, &o.Status)
	if drill := s.objects[synapse.Key{Kind: synapse.KindDrill, Name: spec.Drill}.Path()]; drill != nil {
		drill.Status["last_run"] = synapse.DrillLastRun{Name: o.Name, Verdict: status.Verdict, EndedAt: ended, RTO: "1.84s", RPO: "150ms"}
		if status.Verdict == synapse.VerdictPassed {
			drill.Status["evidence"] = synapse.EvidenceFresh
		}
		s.touch(drill)
	}
}

func (s *Server) reportOf(o *Object, spec synapse.DrillRunSpec, status synapse.DrillRunStatus) *synapse.DrillReport {
	recovered := began.Add(1840 * time.Millisecond)
	report := &synapse.DrillReport{
		Format: synapse.DrillReportFormat, Run: o.Name, Drill: spec.Drill, Environment: "test", Mode: spec.Mode, Reason: spec.Reason, RequestedBy: status.RequestedBy,
		StartedAt: began, FaultAt: &began, EndedAt: *status.EndedAt, Verdict: status.Verdict, Message: status.Message,
		Objectives: []synapse.DrillObjective{{Name: "rto", Objective: "at most 30s", Measured: "1.84s", Met: status.Verdict == synapse.VerdictPassed}},
		Requests:   synapse.DrillRequests{Sent: 2000, Good: 1960, Bad: 40, LastGoodAt: &began, RecoveredAt: &recovered, Outage: "1.84s"},
		Markers:    synapse.DrillMarkers{Attempted: 520, Written: 500, Lost: 3, LostSpan: "150ms", LastGoodAt: &began, RecoveredAt: &recovered, Outage: "1.2s"},
	}
	if drill := s.objects[synapse.Key{Kind: synapse.KindDrill, Name: spec.Drill}.Path()]; drill != nil {
		convert(drill.Spec, &report.Definition)
	}
	report.Policy, report.DefinitionSHA256 = report.Definition.FailoverPolicy, report.Definition.Digest()
	if err := report.Seal(); err != nil {
		panic("providertest: " + err.Error())
	}
	return report
}

// abort lets a run end as aborted, unless it has ended.
func (s *Server) abort(o *Object, body []byte) (int, any) {
	if status := runOf(o); status.State != synapse.DrillEnded && status.Ending == nil {
		var request synapse.DrillAbortRequest
		convertBody(body, &request)
		status.State = synapse.DrillRestoring
		status.Ending = &synapse.DrillEnding{Verdict: synapse.VerdictAborted, By: "operator", Reason: "aborted by operator: " + request.Reason, At: began}
		o.Status = nil
		convert(status, &o.Status)
		s.left[o.Name] = s.runs.Restores
		s.advance(o)
	}
	return http.StatusAccepted, encode(o)
}

func (s *Server) report(o *Object) (int, any) {
	if report := runOf(o).Report; report != nil {
		return http.StatusOK, report
	}
	return problem(http.StatusNotFound, synapse.CodeNotFound, o.Name+" has no report")
}

func runOf(o *Object) synapse.DrillRunStatus {
	var status synapse.DrillRunStatus
	convert(o.Status, &status)
	return status
}

// observe is what synapsed sees of a policy or a drill.
func (o *Object) observe() {
	switch o.Kind {
	case synapse.KindFailoverPolicy:
		if o.Status["active_region"] == nil {
			o.Status["active_region"] = o.Spec["preferred"]
		}
		o.Status["readiness"] = synapse.FailoverReadiness{
			Ready: true, Target: o.Spec["standby"].([]any)[0].(string), CheckedAt: began,
			Checks: []synapse.ReadinessCheck{{Name: "replication_lag", OK: true, Message: "12ms, at most 10s"}},
		}
	case synapse.KindDrill:
		var spec synapse.DrillSpec
		convert(o.Spec, &spec)
		o.Status["definition_digest"] = spec.Digest()
		if o.Status["evidence"] == nil {
			o.Status["evidence"] = synapse.EvidenceNever
		}
		delete(o.Status, "next_run_at")
		if next, ok := spec.NextRun(began); ok {
			o.Status["next_run_at"] = next
		}
	}
}

// admit checks policies, drills and runs against other objects.
func (s *Server) admit(o *Object) *synapse.Problem {
	var errs []synapse.FieldError
	switch o.Kind {
	case synapse.KindFailoverPolicy:
		var spec synapse.FailoverPolicySpec
		convert(o.Spec, &spec)
		errs = s.missing(spec.References())
	case synapse.KindDrill:
		var spec synapse.DrillSpec
		convert(o.Spec, &spec)
		errs = s.missing(spec.References())
		if policy := s.objects[synapse.Key{Kind: synapse.KindFailoverPolicy, Name: spec.FailoverPolicy}.Path()]; policy != nil {
			var drilled synapse.FailoverPolicySpec
			convert(policy.Spec, &drilled)
			errs = append(errs, spec.ValidateAgainst(&drilled)...)
		}
	case synapse.KindDrillRun:
		var spec synapse.DrillRunSpec
		convert(o.Spec, &spec)
		errs = s.missing([]synapse.Reference{{Pointer: "/spec/drill", To: synapse.Key{Kind: synapse.KindDrill, Name: spec.Drill}}})
	}
	if len(errs) == 0 {
		return nil
	}
	return &synapse.Problem{Status: http.StatusUnprocessableEntity, Title: "the request is not valid", Code: synapse.CodeInvalid, Errors: errs}
}

func (s *Server) missing(references []synapse.Reference) []synapse.FieldError {
	var errs []synapse.FieldError
	for _, reference := range references {
		if s.checkReferences && s.objects[reference.To.Path()] == nil {
			to := reference.To
			errs = append(errs, synapse.FieldError{Pointer: reference.Pointer, Code: synapse.CodeReferenceNotFound, Message: fmt.Sprintf("%s does not exist", to), Reference: &to})
		}
	}
	return errs
}

// drilling answers what only failover policies and runs are asked. ok is false for everything else.
func (s *Server) drilling(r Request, body []byte) (status int, answer any, ok bool) {
	path, verb, found := cutLast(r.Path)
	object := s.objects[path]
	if !found || object == nil {
		return 0, nil, false
	}
	switch {
	case object.Kind == synapse.KindFailoverPolicy && verb == "readiness":
		return http.StatusOK, object.Status["readiness"], true
	case object.Kind == synapse.KindDrillRun && verb == "abort" && r.Method == http.MethodPost:
		status, answer = s.abort(object, body)
		return status, answer, true
	case object.Kind == synapse.KindDrillRun && verb == "report":
		status, answer = s.report(object)
		return status, answer, true
	}
	return 0, nil, false
}

func cutLast(path string) (before, last string, found bool) {
	i := strings.LastIndex(path, "/")
	if i < 0 {
		return path, "", false
	}
	return path[:i], path[i+1:], true
}

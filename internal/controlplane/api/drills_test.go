package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	failoverPolicy = synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]
	drill          = synapse.Object[synapse.DrillSpec, synapse.DrillStatus]
	drillRun       = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]
)

const policyDraft = `{"name":"core","spec":{"services":["auth"],"preferred":"eu","standby":["us","ap"],"objectives":{"rto":"1m","rpo":"5s"}}}`

// newPolicy makes a failover policy whose preferred region is active, and what it needs.
func newPolicy(t *testing.T, s *service) failoverPolicy {
	t.Helper()
	s.service("auth")
	operator := s.as(synapse.RoleOperator)
	for _, region := range []string{"eu", "us", "ap"} {
		operator.do(http.MethodPost, "/v1/regions", `{"name":"`+region+`","spec":{}}`)
	}
	made := read[failoverPolicy](operator.do(http.MethodPost, "/v1/failover-policies", policyDraft), 201)
	_, err := object.WriteStatus(t.Context(), s.backend, made.Key(), made.UID, func(status *synapse.FailoverPolicyStatus) { status.ActiveRegion = "eu" })
	require.NoError(t, err)
	return made
}

func TestFailoverActions(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newPolicy(t, s)
	operator := s.as(synapse.RoleOperator)
	act := func(action string, body any) answer {
		return operator.do(http.MethodPost, "/v1/failover-policies/core/"+action, body)
	}
	s.as(synapse.RoleViewer).do(http.MethodPost, "/v1/failover-policies/core/failover", nil).problem(403, synapse.CodeForbidden)
	t.Run("readiness is looked at anew", func(t *testing.T) {
		readiness := read[synapse.FailoverReadiness](s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/failover-policies/core/readiness", nil), 200)
		require.True(t, readiness.Ready)
	})
	t.Run("a region that is not fit is refused with the reason, unless it is forced", func(t *testing.T) {
		p := act("failover", `{"to":"ap"}`).problem(409, synapse.CodeConflict)
		require.Contains(t, p.Detail, "1m behind")
		require.Contains(t, p.Detail, "force")
		would := read[failoverPolicy](act("failover?dry_run=true", `{"to":"ap","force":true}`), 200)
		require.Equal(t, "ap", would.Status.Transition.To)
	})
	t.Run("what makes no sense is refused", func(t *testing.T) {
		require.Contains(t, act("failback", nil).problem(409, synapse.CodeConflict).Detail, "is active")
		require.Contains(t, act("failover", `{"to":"eu"}`).problem(409, synapse.CodeConflict).Detail, "is active already")
		require.Contains(t, act("failover", `{"to":"mars"}`).problem(409, synapse.CodeConflict).Detail, "no region of the policy")
		require.Contains(t, act("approve", nil).problem(409, synapse.CodeConflict).Detail, "nothing awaits")
	})
	t.Run("a failover is stored before anything happens, once", func(t *testing.T) {
		begun := read[failoverPolicy](act("failover", `{"reason":"it burns"}`), 200)
		require.Equal(t, "operator", begun.Status.Transition.By)
		require.Equal(t, "it burns", begun.Status.Transition.Reason)
		require.Equal(t, begun.Status.Transition.ID, begun.Status.Lock.Holder)
		require.Contains(t, act("failover", nil).problem(409, synapse.CodeConflict).Detail, "under way")
	})
	t.Run("what is under way holds the policy and its deployments", func(t *testing.T) {
		require.Contains(t, operator.do(http.MethodDelete, "/v1/failover-policies/core", nil).problem(409, synapse.CodeConflict).Detail, "held by")
		p := operator.do(http.MethodPost, "/v1/service-deployments", `{"name":"v1","parent":"auth","spec":{"image":"auth:v1","regions":{"eu":{}}}}`).problem(422, synapse.CodeInvalid)
		require.Contains(t, p.Errors[0].Message, "held still")
	})
}

func TestPoliciesThatWouldPullApartAreRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newPolicy(t, s)
	operator := s.as(synapse.RoleOperator)
	p := operator.do(http.MethodPost, "/v1/failover-policies", `{"name":"other","spec":{"services":["auth"],"preferred":"us","standby":["ap"],"objectives":{"rto":"1m","rpo":"5s"}}}`).problem(422, synapse.CodeInvalid)
	require.Equal(t, []string{"/spec/steps", "/spec/services/0"}, []string{p.Errors[0].Pointer, p.Errors[1].Pointer})
	p = operator.do(http.MethodPost, "/v1/failover-policies", `{"name":"other","spec":{"services":["nobody"],"preferred":"mars","standby":["ap"],"steps":[{"type":"shift_traffic"}],"objectives":{"rto":"1m","rpo":"5s"}}}`).problem(422, synapse.CodeReferenceNotFound)
	require.Equal(t, "/spec/preferred", p.Errors[0].Pointer)
}

func TestAStandbyThatATenantDoesNotAllowIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newPolicy(t, s)
	operator := s.as(synapse.RoleOperator)
	operator.do(http.MethodPost, "/v1/tenants", `{"name":"acme","spec":{"home_region":"eu","allowed_regions":["eu"]}}`)
	strict := `{"name":"core","spec":{"services":["auth"],"preferred":"eu","standby":["us"],"objectives":{"rto":"2m","rpo":"5s"}}}`
	p := operator.do(http.MethodPut, "/v1/failover-policies/core", strict, "If-Match", "*").problem(422, synapse.CodeInvalid)
	require.Equal(t, "/spec/standby/0", p.Errors[0].Pointer)
	require.Contains(t, p.Errors[0].Message, "acme")
	hold := `{"name":"core","spec":{"residency":"hold","services":["auth"],"preferred":"eu","standby":["us"],"objectives":{"rto":"2m","rpo":"5s"}}}`
	read[failoverPolicy](operator.do(http.MethodPut, "/v1/failover-policies/core", hold, "If-Match", "*"), 200)
}

const drillDraft = `{"name":"loss","spec":{"failover_policy":"core","scenario":{"type":"region_loss"},"max_duration":"10m"}}`

func TestDrillsAndTheirRuns(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newPolicy(t, s)
	operator, viewer := s.as(synapse.RoleOperator), s.as(synapse.RoleViewer)
	t.Run("a drill is checked against its policy", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/dr-drills", `{"name":"loss","spec":{"failover_policy":"core","scenario":{"type":"region_loss","region":"mars"},"objectives":{"rto":"2m","rpo":"5s"},"max_duration":"1m"}}`).problem(422, synapse.CodeInvalid)
		var at []string
		for _, field := range p.Errors {
			at = append(at, field.Pointer)
		}
		require.Equal(t, []string{"/spec/scenario/region", "/spec/objectives/rto", "/spec/scenario/region", "/spec/max_duration"}, at)
	})
	t.Run("a run needs a drill", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/dr-drill-runs?dry_run=true", `{"name":"first","spec":{"drill":"loss"}}`).problem(422, synapse.CodeReferenceNotFound)
		require.Equal(t, "/spec/drill", p.Errors[0].Pointer)
	})
	made := read[drill](operator.do(http.MethodPost, "/v1/dr-drills", drillDraft), 201)
	t.Run("an approval is bound to the definition", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/dr-drills/loss/approve", `{"digest":"other"}`).problem(409, synapse.CodeConflict)
		require.Contains(t, p.Detail, made.Spec.Digest())
		approved := read[drill](operator.do(http.MethodPost, "/v1/dr-drills/loss/approve", `{"digest":"`+made.Spec.Digest()+`","reason":"seen"}`), 200)
		require.Equal(t, "operator", approved.Status.Approval.By)
		require.Equal(t, s.clock.Now().Add(168*time.Hour), approved.Status.Approval.Until)
	})
	run := read[drillRun](operator.do(http.MethodPost, "/v1/dr-drill-runs", `{"name":"first","spec":{"drill":"loss","reason":"a test"}}`), 201)
	require.Equal(t, "operator", run.Status.RequestedBy)
	t.Run("a run never changes", func(t *testing.T) {
		operator.do(http.MethodPut, "/v1/dr-drill-runs/first", `{"name":"first","spec":{"drill":"loss","mode":"plan_only"}}`, "If-Match", "*").problem(422, synapse.CodeImmutable)
	})
	t.Run("a run under way has no report, and stays", func(t *testing.T) {
		viewer.do(http.MethodGet, "/v1/dr-drill-runs/first/report", nil).problem(409, synapse.CodeConflict)
		operator.do(http.MethodDelete, "/v1/dr-drill-runs/first", nil).problem(409, synapse.CodeConflict)
	})
	t.Run("an abort is stored once", func(t *testing.T) {
		viewer.do(http.MethodPost, "/v1/dr-drill-runs/first/abort", nil).problem(403, synapse.CodeForbidden)
		aborted := read[drillRun](operator.do(http.MethodPost, "/v1/dr-drill-runs/first/abort", `{"reason":"enough"}`), 202)
		require.Equal(t, "aborted by operator: enough", aborted.Status.Ending.Reason)
		again := read[drillRun](operator.do(http.MethodPost, "/v1/dr-drill-runs/first/abort", `{"reason":"more"}`), 202)
		require.Equal(t, aborted.Status.Ending, again.Status.Ending)
	})
	t.Run("a report is served as JSON and as Markdown, and kept", func(t *testing.T) {
		_, err := object.WriteStatus(t.Context(), s.backend, run.Key(), run.UID, func(status *synapse.DrillRunStatus) {
			until := s.clock.Now().Add(time.Hour)
			status.State, status.RetainUntil = synapse.DrillEnded, &until
			status.Report = &synapse.DrillReport{Format: synapse.DrillReportFormat, Run: "first", Definition: made.Spec, DefinitionSHA256: made.Spec.Digest(), Verdict: synapse.VerdictPassed}
			require.NoError(t, status.Report.Seal())
		})
		require.NoError(t, err)
		report := read[synapse.DrillReport](viewer.do(http.MethodGet, "/v1/dr-drill-runs/first/report", nil), 200)
		require.NoError(t, report.Verify())
		markdown := viewer.do(http.MethodGet, "/v1/dr-drill-runs/first/report.md", nil)
		require.Equal(t, 200, markdown.status)
		require.Equal(t, "# Run first\n", string(markdown.body))
		require.Contains(t, operator.do(http.MethodDelete, "/v1/dr-drill-runs/first", nil).problem(409, synapse.CodeConflict).Detail, "kept until")
	})
}

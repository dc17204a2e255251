package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// splitDraft is a split from a monolith to a new service, in two steps of which the first wants an approval.
func splitDraft(revision string) string {
	return `{"name":"login","spec":{"route":{"path_prefix":"/auth"},
		"backends":{"monolith":{"role":"stable","url":"http://127.0.0.1:9000"},"auth":{"role":"candidate","url":"http://127.0.0.1:9001"}},
		"progression":{"revision":"` + revision + `","steps":[{"weight":10,"gate":"manual"},{"weight":100}],
			"analysis":{"checks":[{"slo":"auth-errors"}]}}}}`
}

// newSplit makes the split and what it needs.
func newSplit(t *testing.T, s *service) split {
	t.Helper()
	s.service("auth")
	operator := s.as(synapse.RoleOperator)
	read[slo](operator.do(http.MethodPost, "/v1/slos", `{"name":"auth-errors","spec":{"service":"auth","sli":"ratio","objective":99}}`), 201)
	return read[split](operator.do(http.MethodPost, "/v1/traffic-splits", splitDraft("r1")), 201)
}

// reachSplit lets the split's state machine run, with good figures, until it is in a phase.
func reachSplit(t *testing.T, s *service, phase synapse.SplitPhase) split {
	t.Helper()
	for range 50 {
		current := read[split](s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/traffic-splits/login", nil), 200)
		if current.Status.State.Phase == phase {
			return current
		}
		s.clock.advance(time.Minute)
		now := s.clock.Now()
		seen := synapse.SplitObservation{Published: true}
		if current.Status.State.AnalysisDue(&current.Spec, now) {
			seen.Measurement = &synapse.SplitMeasurement{From: now.Add(-time.Minute), To: now, Requests: 1000, Checks: []synapse.SplitCheckResult{{Requests: 1000}}}
		}
		_, err := object.AdvanceSplit(&current, synapse.SplitEvent{Type: synapse.SplitObserved, Observation: seen}, now)
		require.NoError(t, err)
		current.Status.Set(current.Generation, synapse.PhaseReady, "Test", "", now)
		require.NoError(t, object.ReplaceStatus(t.Context(), s.backend, current.Meta, current.Status))
	}
	require.Fail(t, "the split does not get there", "%s", phase)
	return split{}
}

func TestSplitActions(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newSplit(t, s)
	operator := s.as(synapse.RoleOperator)
	act := func(action string, body any) answer {
		return operator.do(http.MethodPost, "/v1/traffic-splits/login/"+action, body)
	}
	t.Run("what the state machine has not seen yet is to be asked again", func(t *testing.T) {
		p := act("freeze", nil).problem(503, synapse.CodeUnavailable)
		require.Equal(t, 1, p.RetryAfterSeconds)
	})
	t.Run("an approval that nothing awaits is refused with what to do", func(t *testing.T) {
		reachSplit(t, s, synapse.SplitAnalysing)
		p := act("approve", nil).problem(409, synapse.CodeConflict)
		require.Contains(t, p.Detail, "nothing awaits an approval")
	})
	waiting := reachSplit(t, s, synapse.SplitAwaitingApproval)
	t.Run("an approval for another revision or step is refused", func(t *testing.T) {
		require.Contains(t, act("approve", `{"revision":"r0"}`).problem(409, synapse.CodeConflict).Detail, `"r1"`)
		require.Contains(t, act("approve", `{"step":1}`).problem(409, synapse.CodeConflict).Detail, "the one under way, which is 0")
	})
	t.Run("a dry run shows what would be and changes nothing", func(t *testing.T) {
		before := s.snapshot()
		would := read[split](act("approve?dry_run=true", nil), 200)
		require.Equal(t, synapse.SplitShifting, would.Status.State.Phase)
		require.Equal(t, 100, would.Status.State.Weights["auth"])
		require.Equal(t, before, s.snapshot())
	})
	t.Run("bad bodies are refused", func(t *testing.T) {
		before := s.snapshot()
		act("approve", `{"reson":"typo"}`).problem(422, synapse.CodeInvalid)
		require.Equal(t, []string{"/step"}, pointers(act("approve", `{"step":"one"}`).problem(422, synapse.CodeInvalid)))
		require.Equal(t, []string{"/reason"}, pointers(act("rollback", map[string]string{"reason": strings.Repeat("x", 501)}).problem(422, synapse.CodeInvalid)))
		require.Equal(t, before, s.snapshot())
	})
	t.Run("a freeze holds, is the same when repeated, and is refused to others", func(t *testing.T) {
		frozen := read[split](act("freeze", `{"reason":"drill"}`), 200)
		require.Equal(t, synapse.SplitFrozen, frozen.Status.State.Phase)
		again := read[split](act("freeze", nil), 200)
		require.Equal(t, frozen.ResourceVersion, again.ResourceVersion)
		s.as(synapse.RoleAdmin).do(http.MethodPost, "/v1/traffic-splits/login/freeze", nil).problem(409, synapse.CodeConflict)
		require.Contains(t, act("approve", nil).problem(409, synapse.CodeConflict).Detail, "unfreeze it first")
	})
	t.Run("a frozen split is neither changed nor deleted", func(t *testing.T) {
		p := operator.do(http.MethodPut, "/v1/traffic-splits/login", splitDraft("r2"), "If-Match", "*").problem(422, synapse.CodeInvalid)
		require.Equal(t, []string{"/spec"}, pointers(p))
		operator.do(http.MethodDelete, "/v1/traffic-splits/login", nil).problem(409, synapse.CodeConflict)
	})
	t.Run("it goes on where it was", func(t *testing.T) {
		unfrozen := read[split](act("unfreeze", nil), 200)
		require.Equal(t, waiting.Status.State.Phase, unfrozen.Status.State.Phase)
		require.Equal(t, unfrozen.ResourceVersion, read[split](act("unfreeze", nil), 200).ResourceVersion, "once is enough")
	})
	t.Run("an approval is done once, whoever repeats it", func(t *testing.T) {
		require.False(t, read[split](operator.do(http.MethodGet, "/v1/traffic-splits/login", nil), 200).Status.State.Content, "the freeze made the figures old")
		change(t, s, func(current *split) { current.Status.State.Content = true })
		approved := read[split](act("approve", `{"step":0,"revision":"r1","reason":"looks good"}`), 200)
		require.Equal(t, synapse.SplitShifting, approved.Status.State.Phase)
		require.Equal(t, 100, approved.Status.State.Weights["auth"])
		var last synapse.SplitDecision
		for _, d := range approved.Status.History {
			if d.Action == synapse.ActionApprove {
				last = d
			}
		}
		require.Equal(t, "operator", last.By)
		require.Contains(t, last.Message, "looks good")
		again := read[split](act("approve", `{"step":0,"revision":"r1"}`), 200)
		require.Equal(t, approved.ResourceVersion, again.ResourceVersion)
		s.as(synapse.RoleAdmin).do(http.MethodPost, "/v1/traffic-splits/login/approve", `{"step":0}`).problem(409, synapse.CodeConflict)
	})
	t.Run("a rollback is done once", func(t *testing.T) {
		rolling := read[split](act("rollback", `{"reason":"users complain"}`), 200)
		require.Equal(t, synapse.SplitRollingBack, rolling.Status.State.Phase)
		require.Equal(t, rolling.ResourceVersion, read[split](act("rollback", nil), 200).ResourceVersion)
		reachSplit(t, s, synapse.SplitRolledBack)
		act("resume", nil).problem(409, synapse.CodeConflict)
	})
	t.Run("a revision that was rolled back starts again when somebody retries it", func(t *testing.T) {
		require.Contains(t, act("promote", nil).problem(409, synapse.CodeConflict).Detail, "synapsed split retry login")
		require.Contains(t, act("retry", `{"revision":"r9"}`).problem(409, synapse.CodeConflict).Detail, `"r9" was not rolled back`)
		retried := read[split](act("retry", `{"revision":"r1","reason":"it was the database"}`), 200)
		require.Equal(t, synapse.SplitPreflight, retried.Status.State.Phase)
	})
	t.Run("a promotion skips the approval, once", func(t *testing.T) {
		promoted := read[split](act("promote", `{"reason":"stable is broken"}`), 200)
		require.True(t, promoted.Status.State.Skipping)
		require.Equal(t, promoted.ResourceVersion, read[split](act("promote", nil), 200).ResourceVersion)
		reachSplit(t, s, synapse.SplitCompleted)
	})
	t.Run("a rollback can be forced", func(t *testing.T) {
		require.True(t, read[split](act("rollback", `{"force":true}`), 200).Status.State.Forced)
	})
	t.Run("what an action does not know is refused", func(t *testing.T) {
		for _, action := range []string{"approve", "resume", "promote", "retry", "freeze", "unfreeze"} {
			p := act(action, `{"force":true}`).problem(422, synapse.CodeInvalid)
			require.Equal(t, "/force", p.Errors[0].Pointer, action)
		}
		long := strings.Repeat("r", 100_000)
		p := act("retry", `{"revision":"`+long+`"}`).problem(422, synapse.CodeInvalid)
		require.Equal(t, "/revision", p.Errors[0].Pointer)
		require.NotContains(t, p.Errors[0].Message, long)
	})
	t.Run("who may only read may do none of it", func(t *testing.T) {
		for _, action := range []string{"promote", "retry", "rollback"} {
			s.as(synapse.RoleViewer).do(http.MethodPost, "/v1/traffic-splits/login/"+action, nil).problem(403, synapse.CodeForbidden)
		}
	})
	t.Run("each action is in the audit record with its reason", func(t *testing.T) {
		audit := string(s.as(synapse.RoleAdmin).do(http.MethodGet, "/v1/audit", nil).body)
		for _, text := range []string{`"action":"freeze"`, `"action":"unfreeze"`, `"action":"approve"`, `"action":"rollback"`, "users complain",
			`"action":"promote"`, "stable is broken", `"action":"retry"`, "it was the database", `"force":true`} {
			require.Contains(t, audit, text)
		}
	})
	t.Run("a split that does not exist has no actions", func(t *testing.T) {
		operator.do(http.MethodPost, "/v1/traffic-splits/nothing/freeze", nil).problem(404, synapse.CodeNotFound)
		require.Equal(t, 404, operator.do(http.MethodPost, "/v1/traffic-splits/login/dance", nil).status)
	})
	t.Run("a split that is being deleted takes none", func(t *testing.T) {
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/traffic-splits/login", nil).status)
		act("freeze", nil).problem(409, synapse.CodeGone)
	})
}

// change rewrites the split's status as a reconciler does.
func change(t *testing.T, s *service, mutate func(*split)) {
	t.Helper()
	current := read[split](s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/traffic-splits/login", nil), 200)
	mutate(&current)
	require.NoError(t, object.ReplaceStatus(t.Context(), s.backend, current.Meta, current.Status))
}

func TestErrorBudget(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.service("auth")
	read[slo](s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/slos", `{"name":"auth-errors","spec":{"service":"auth","sli":"ratio","objective":99.5}}`), 201)
	a := s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/slos/auth-errors/error-budget", nil)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	budget := read[synapse.ErrorBudget](a, 200)
	require.Equal(t, "auth-errors", budget.SLO)
	require.InDelta(t, 99.5, budget.Objective, 0)
	s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/slos/nothing/error-budget", nil).problem(404, synapse.CodeNotFound)

	read[slo](s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/slos", `{"name":"unknown","spec":{"service":"auth","sli":"ratio","objective":99.5}}`), 201)
	p := s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/slos/unknown/error-budget", nil).problem(503, synapse.CodeUnavailable)
	require.NotContains(t, p.Detail, "10.1.2.3")
	require.Contains(t, s.log.String(), "10.1.2.3")

	read[slo](s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/slos", `{"name":"unscraped","spec":{"service":"auth","sli":"ratio","objective":99.5}}`), 201)
	p = s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/slos/unscraped/error-budget", nil).problem(503, synapse.CodeUnavailable)
	require.Contains(t, p.Detail, "honor_labels: true", "what the source lacks is said to who asks")
}

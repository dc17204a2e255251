package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type policyObject = synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]

func (c *console) policies(w http.ResponseWriter, r *http.Request) {
	page, err := list[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](c, r, store.Query{Kind: synapse.KindFailoverPolicy})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: "Failover policies", Name: "policies", Section: "Failover", Content: page, Live: true})
}

// policyView is the page of one failover policy.
type policyView struct {
	Object policyObject
	Head   head
	// UnderWay is the transition under way, or nil, and Ended are those that ended, the newest first.
	UnderWay *transitionView
	Ended    []transitionView
}

// transitionView is a transition with its steps as a bar.
type transitionView struct {
	synapse.Transition
	Took   string
	Stages []stage
}

func (c *console) policy(w http.ResponseWriter, r *http.Request) {
	policy, err := load[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](c, r, synapse.KindFailoverPolicy)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	view := policyView{Object: policy, Head: headOf(policy.Meta, policy.Status.Status)}
	if t := policy.Status.Transition; t != nil {
		view.UnderWay = new(newTransitionView(*t))
	}
	for _, t := range slices.Backward(policy.Status.History) {
		view.Ended = append(view.Ended, newTransitionView(t))
	}
	c.render(w, r, http.StatusOK, layout{Title: policy.Name, Name: "policy", Section: "Failover", Content: view, Live: true})
}

func newTransitionView(t synapse.Transition) transitionView {
	view := transitionView{Transition: t, Took: report.Took(&t.StartedAt, t.EndedAt)}
	for _, step := range t.Steps {
		view.Stages = append(view.Stages, newStepStage(report.Words(step.Type), step.State, step.StartedAt, step.EndedAt, step.Message))
	}
	return view
}

// newStepStage is a step of a transition or of a drill run on a bar of them.
func newStepStage(label string, state synapse.StepState, began, ended *time.Time, message string) stage {
	note := string(state)
	if took := report.Took(began, ended); took != "" {
		note += ", " + took
	}
	return stage{Label: label, Detail: message, State: stageOf(state), Note: note}
}

// stageOf says which of the looks of a stage a step has.
func stageOf(state synapse.StepState) string {
	switch state {
	case synapse.StepRunning:
		return "current"
	case synapse.StepDone, synapse.StepFailed:
		return string(state)
	}
	return "pending"
}

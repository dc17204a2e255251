package failover

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Readiness says whether a failover would work, as a resource shows it.
type Readiness struct {
	Ready   bool         `tfsdk:"ready"`
	Target  types.String `tfsdk:"target"`
	Message types.String `tfsdk:"message"`
}

// Transition is a failover or failback, as a resource shows it.
type Transition struct {
	ID        types.String `tfsdk:"id"`
	Kind      types.String `tfsdk:"kind"`
	Trigger   types.String `tfsdk:"trigger"`
	From      types.String `tfsdk:"from"`
	To        types.String `tfsdk:"to"`
	Phase     types.String `tfsdk:"phase"`
	StartedAt types.String `tfsdk:"started_at"`
	EndedAt   types.String `tfsdk:"ended_at"`
	Message   types.String `tfsdk:"message"`
}

// FullTransition is a failover or failback with all that is known of it.
type FullTransition struct {
	Transition
	By          types.String     `tfsdk:"by"`
	Reason      types.String     `tfsdk:"reason"`
	ApprovedBy  types.String     `tfsdk:"approved_by"`
	HeldTenants []string         `tfsdk:"held_tenants"`
	Steps       []TransitionStep `tfsdk:"steps"`
}

// TransitionStep is a step of a transition.
type TransitionStep struct {
	Type      types.String `tfsdk:"type"`
	State     types.String `tfsdk:"state"`
	StartedAt types.String `tfsdk:"started_at"`
	EndedAt   types.String `tfsdk:"ended_at"`
	Message   types.String `tfsdk:"message"`
}

// Lock is who holds a policy's services still.
type Lock struct {
	Holder types.String `tfsdk:"holder"`
	Since  types.String `tfsdk:"since"`
}

// see takes over what synapsed says of the policy.
func (m *Model) see(ctx context.Context, status *synapse.FailoverPolicyStatus) diag.Diagnostics {
	m.ActiveRegion = envelope.Text(status.ActiveRegion)
	attributes := seenAttributes()
	var readiness *Readiness
	if !status.Readiness.CheckedAt.IsZero() {
		readiness = &Readiness{Ready: status.Readiness.Ready, Target: envelope.Text(status.Readiness.Target), Message: envelope.Text(failedChecks(status.Readiness))}
	}
	var diags, all diag.Diagnostics
	m.Readiness, diags = envelope.ObjectOf(ctx, attributes["readiness"], readiness)
	all.Append(diags...)
	var last *Transition
	if t := current(status); t != nil {
		last = transitionOf(t)
	}
	m.LastTransition, diags = envelope.ObjectOf(ctx, attributes["last_transition"], last)
	all.Append(diags...)
	return all
}

// failedChecks names the checks that do not hold, without their messages: those have figures, which move all the time.
func failedChecks(readiness synapse.FailoverReadiness) string {
	var failed []string
	for _, check := range readiness.Checks {
		if !check.OK {
			failed = append(failed, check.Name)
		}
	}
	if len(failed) == 0 {
		return ""
	}
	return "not as it must be: " + strings.Join(failed, ", ")
}

// current is the transition under way, or the last one.
func current(status *synapse.FailoverPolicyStatus) *synapse.Transition {
	if status.Transition != nil {
		return status.Transition
	}
	return status.LastTransition()
}

func transitionOf(t *synapse.Transition) *Transition {
	return &Transition{
		ID: types.StringValue(t.ID), Kind: envelope.Text(t.Kind), Trigger: envelope.Text(t.Trigger), From: envelope.Text(t.From), To: envelope.Text(t.To),
		Phase: envelope.Text(t.Phase), StartedAt: envelope.Time(&t.StartedAt), EndedAt: envelope.Time(t.EndedAt), Message: envelope.Text(t.Message),
	}
}

// Details returns all transitions and the lock, which would only blow up the state of a resource.
func (m *Model) Details(ctx context.Context, status *synapse.FailoverPolicyStatus) (map[string]attr.Value, diag.Diagnostics) {
	all := status.History
	if status.Transition != nil {
		all = append(all[:len(all):len(all)], *status.Transition)
	}
	transitions := make([]FullTransition, 0, len(all))
	for i := range all {
		transitions = append(transitions, fullTransitionOf(&all[i]))
	}
	var lock *Lock
	if l := status.Lock; l != nil {
		lock = &Lock{Holder: types.StringValue(l.Holder), Since: envelope.Time(&l.Since)}
	}
	attributes := details()
	list, diags := envelope.ListOf(ctx, attributes["transitions"], transitions)
	held, more := envelope.ObjectOf(ctx, attributes["lock"], lock)
	diags.Append(more...)
	return map[string]attr.Value{"transitions": list, "lock": held}, diags
}

func fullTransitionOf(t *synapse.Transition) FullTransition {
	full := FullTransition{
		Transition: *transitionOf(t), By: envelope.Text(t.By), Reason: envelope.Text(t.Reason), ApprovedBy: envelope.Text(t.Approved),
		HeldTenants: envelope.KeepEmpty([]string{}, t.Held), Steps: make([]TransitionStep, 0, len(t.Steps)),
	}
	for _, step := range t.Steps {
		full.Steps = append(full.Steps, TransitionStep{
			Type: envelope.Text(step.Type), State: envelope.Text(step.State), StartedAt: envelope.Time(step.StartedAt), EndedAt: envelope.Time(step.EndedAt), Message: envelope.Text(step.Message),
		})
	}
	return full
}

package envelope

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ModifyPlan implements [resource.ResourceWithModifyPlan]. It fills in what is known beforehand, gives a failed object
// work to do, and has the server check the change.
func (r *Resource[M, S, T, PM, PS, PT]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.session == nil {
		return
	}
	state := attributesOf(req.State.Raw)
	stateKey, exists := r.rawKey(state)
	protected := state.flag("deletion_protection")
	if exists {
		r.session.Manage(stateKey, protected)
	}
	if req.Plan.Raw.IsNull() {
		if protected {
			resp.Diagnostics.AddError(capital(stateKey.String())+" is protected from deletion", protectedAdvice(stateKey))
		}
		return
	}
	if exists {
		resp.Diagnostics.Append(r.plannedWarnings(ctx, req, stateKey)...)
	}
	plan := attributesOf(req.Plan.Raw)
	changed, unfinished := r.foretell(plan, state)
	if exists && !unfinished && r.sameInputs(plan, state) {
		// Also what the configuration only writes differently is no change.
		resp.Plan.Raw = req.State.Raw
		return
	}
	if len(changed) > 0 {
		resp.Plan.Raw = with(req.Plan.Raw, changed)
	}
	planKey, named := r.rawKey(plan)
	switch {
	case !named:
		return
	case exists && planKey != stateKey:
		// A replacement. Terraform asks again for the new object, with no state.
		if protected {
			resp.Diagnostics.AddAttributeError(path.Root("name"), capital(stateKey.String())+" is protected from deletion",
				fmt.Sprintf("Another name or parent means another %s: this one would be deleted. %s", r.def.Kind.Label(), protectedAdvice(stateKey)))
		}
		return
	case !exists:
		if managed, protected := r.session.Managed(planKey); managed && protected {
			resp.Diagnostics.AddError(capital(planKey.String())+" is protected from deletion",
				"It would be replaced, because it is tainted or because -replace or replace_triggered_by says so. "+protectedAdvice(planKey))
			return
		}
		r.session.PlanCreate(planKey)
	}
	if exists {
		r.session.PlanUpdate(planKey)
	}
	r.checkPlan(ctx, req, resp, planKey, exists)
}

// checkPlan has the server check a planned change, and takes over what it says beforehand.
func (r *Resource[M, S, T, PM, PS, PT]) checkPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, key synapse.Key, exists bool) {
	presumed := resp.Plan
	attributes := attributesOf(presumed.Raw)
	if stands := r.presume(attributes); len(stands) > 0 {
		presumed.Raw = with(presumed.Raw, stands)
		attributes = attributesOf(presumed.Raw)
	}
	if !r.inputsKnown(attributes) {
		return
	}
	change, diags := r.decodeChange(ctx, presumed, req, exists)
	resp.Diagnostics.Append(diags...)
	if diags.HasError() {
		return
	}
	// What a plan has told must be told again when it is applied.
	foretells := change.foretells()
	if r.session.Writing() && !foretells {
		return
	}
	object, diags := r.dryRun(ctx, change, key)
	resp.Diagnostics.Append(diags...)
	if object == nil || !foretells {
		return
	}
	changed := rawObject{}
	for name, text := range any(change.planned).(foreteller[M, T]).Foretell(&object.Status) {
		changed[name] = rawText(text)
	}
	resp.Plan.Raw = with(resp.Plan.Raw, changed)
}

// presume returns the attributes that are known but for texts that a presumed value can stand for.
func (s *shape) presume(plan rawObject) rawObject {
	stands := rawObject{}
	for _, p := range s.def.Presumed {
		inner := attributesOf(plan[p.Attribute])
		if text, ok := inner[p.Name]; ok && !text.IsKnown() {
			stands[p.Attribute] = with(plan[p.Attribute], rawObject{p.Name: rawText(p.Value)})
		}
	}
	return stands
}

// foretell returns the attributes of a plan that can be said better than the framework does: the identifier, all
// labels, and of what moves by itself that it will move. unfinished says that there is work to do although the
// configuration may not have changed: the object failed, or the provider's default labels are others.
func (r *Resource[M, S, T, PM, PS, PT]) foretell(plan, state rawObject) (changed rawObject, unfinished bool) {
	changed = rawObject{}
	if key, ok := r.rawKey(plan); ok && !plan["id"].IsKnown() {
		changed["id"] = rawText(key.ID())
	}
	labelsAll := unknownLike(plan["labels_all"])
	if own, known := plan.textMap("labels"); known {
		labelsAll = rawTextMap(r.session.LabelsFor(own))
	}
	if !labelsAll.Equal(plan["labels_all"]) {
		changed["labels_all"] = labelsAll
	}
	if state == nil {
		return changed, true
	}
	phase, _ := state.text("phase")
	unfinished = phase == string(synapse.PhaseFailed) || !labelsAll.Equal(state["labels_all"])
	if unfinished {
		for _, name := range append([]string{"phase"}, r.def.Volatile...) {
			changed[name] = unknownLike(plan[name])
		}
	}
	return changed, unfinished
}

// sameInputs reports whether a plan asks for nothing that the state has not.
func (s *shape) sameInputs(plan, state rawObject) bool {
	return plan["timeouts"].Equal(state["timeouts"]) &&
		!slices.ContainsFunc(s.inputs, func(name string) bool { return !plan[name].Equal(state[name]) })
}

// inputsKnown reports whether everything is known that would be sent to the server.
func (s *shape) inputsKnown(plan rawObject) bool {
	return !slices.ContainsFunc(s.inputs, func(name string) bool { return !plan[name].IsFullyKnown() })
}

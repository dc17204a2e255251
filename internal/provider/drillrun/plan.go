package drillrun

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ModifyPlan implements [resource.ResourceWithModifyPlan]. It has the server check a run that is to begin, and leaves one
// that was as it is: nothing but its own arguments makes another one.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.Session() == nil || req.Plan.Raw.IsNull() {
		return
	}
	planned := r.Fresh()
	if req.Plan.Get(ctx, planned).HasError() {
		return // labels that are not known yet
	}
	labels, diags := types.MapValueFrom(ctx, types.StringType, r.Session().LabelsFor(planned.Labels))
	resp.Diagnostics.Append(diags...)
	planned.LabelsAll = labels
	if req.State.Raw.IsNull() {
		if !planned.Name.IsUnknown() {
			planned.ID = planned.Name
		}
		resp.Diagnostics.Append(resp.Plan.Set(ctx, planned)...)
		resp.Diagnostics.Append(r.dryRun(ctx, planned)...)
		return
	}
	prior := r.Fresh()
	var configured types.String
	resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("name"), &configured)...)
	if resp.Diagnostics.HasError() {
		return
	}
	switch same := planned.sameRun(&prior.Inputs); {
	case !same && configured.Equal(prior.Name):
		resp.Diagnostics.Append(happened(synapse.Key{Kind: synapse.KindDrillRun, Name: prior.Name.ValueString()})...)
	case !same || !configured.IsNull() && !configured.Equal(prior.Name):
		resp.Diagnostics.Append(resp.Plan.Set(ctx, planned)...)
	default:
		resp.Diagnostics.Append(r.keep(ctx, req, resp, prior, planned)...)
	}
}

// keep plans for a run that stays.
func (r *Resource) keep(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, prior, planned *Model) diag.Diagnostics {
	var diags diag.Diagnostics
	if warnings := prior.Warnings(planned); len(warnings) > 0 && r.Session().Warn(synapse.Key{Kind: synapse.KindDrillRun, Name: prior.Name.ValueString()}) {
		diags.Append(warnings...)
	}
	switch {
	case maps.Equal(planned.Labels, prior.Labels) && planned.LabelsAll.Equal(prior.LabelsAll) && planned.FailOn.Equal(prior.FailOn) && planned.Timeouts.Equal(prior.Timeouts):
		resp.Plan.Raw = req.State.Raw
	case prior.Verdict.IsNull(): // it goes on meanwhile
		diags.Append(resp.Plan.Set(ctx, planned)...)
	default:
		kept := *prior
		kept.Labels, kept.LabelsAll, kept.FailOn, kept.Timeouts = planned.Labels, planned.LabelsAll, planned.FailOn, planned.Timeouts
		diags.Append(resp.Plan.Set(ctx, &kept)...)
	}
	return diags
}

// dryRun has the server check a run, so that a plan fails where an apply would.
func (r *Resource) dryRun(ctx context.Context, planned *Model) diag.Diagnostics {
	if r.Session().Writing() || !planned.known(ctx) {
		return nil
	}
	draft := r.Draft(planned)
	if planned.Name.IsUnknown() {
		draft.Name = newName()
	}
	return r.check(ctx, draft)
}

func (r *Resource) check(ctx context.Context, draft synapse.Draft[synapse.DrillRunSpec]) diag.Diagnostics {
	key := synapse.Key{Kind: synapse.KindDrillRun, Name: draft.Name}
	_, err := client.Create[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, r.Session().Client, synapse.KindDrillRun, draft,
		client.CreateOptions{WriteOptions: client.WriteOptions{DryRun: true}})
	if client.HasCode(err, synapse.CodeAlreadyExists) {
		return happened(key)
	}
	return r.RefusedPlan("creating", key, err)
}

// happened says that a run cannot happen twice.
func happened(key synapse.Key) diag.Diagnostics {
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("name"), fmt.Sprintf("Drill run %q has happened already", key.Name), fmt.Sprintf(
		"A run happens once and keeps its name as long as its evidence is kept. Choose another name, or leave name out, so that each run gets one of its own. To adopt the run that was:\n\n  import {\n    to = synapse_dr_drill_run.example\n    id = %q\n  }",
		key.Name))}
}

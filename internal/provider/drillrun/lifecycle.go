package drillrun

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// runsAgain is what follows from an error of Create.
const runsAgain = "\n\nTerraform marks the run as tainted, so that the next apply runs the drill again. To keep it without another run, use `terraform untaint` with its address. To have verdicts as warnings, set fail_on."

// Create implements [resource.Resource]. The run is in the state as soon as it exists, and with its verdict in the end, also
// when that is an error.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	m := r.Fresh()
	resp.Diagnostics.Append(req.Plan.Get(ctx, m)...)
	timeout, diags := m.Timeouts.Create(ctx, createTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if m.Name.IsNull() || m.Name.IsUnknown() {
		m.Name = types.StringValue(newName())
	}
	key := synapse.Key{Kind: synapse.KindDrillRun, Name: m.Name.ValueString()}
	r.Session().StartWriting()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	save := func(seen *run) {
		// The context may have ended, and the state must be saved nevertheless.
		resp.Diagnostics.Append(r.Save(context.WithoutCancel(ctx), &resp.State, resp.Identity, resp.Private, m, seen)...)
	}
	last, stopped, err := r.runner(ctx, key).do(limited, r.Draft(m), save)
	if err != nil {
		resp.Diagnostics.Append(r.refused(key, err)...)
		return
	}
	save(last)
	if stopped != nil {
		resp.Diagnostics.Append(stopped...)
		return
	}
	resp.Diagnostics.Append(judge(last, m.FailOn, r.Session().Client.Endpoint(), runsAgain)...)
}

func (r *Resource) runner(ctx context.Context, key synapse.Key) runner {
	return runner{client: r.Session().Client, tell: func(text string) {
		tflog.Info(ctx, text, map[string]any{"run": key.Name})
	}}
}

// Read implements [resource.Resource]. Reads of runs are single requests: a list would carry the reports of all of them.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	m := r.Fresh()
	var drill types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("drill"), &drill)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("name"), &m.Name)...)
	imported := drill.IsNull()
	if !imported {
		resp.Diagnostics.Append(req.State.Get(ctx, m)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	key := synapse.Key{Kind: synapse.KindDrillRun, Name: m.Name.ValueString()}
	seen, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, r.Session().Client, key)
	switch {
	case client.IsNotFound(err) && imported:
		resp.State.RemoveResource(ctx)
	case client.IsNotFound(err):
		// Its evidence has expired, or somebody tidied up. What happened has happened: without the run in the state,
		// Terraform would plan another one, and nobody asked for a drill.
		r.Identify(resp.Identity, key)
	case err != nil:
		resp.Diagnostics.Append(envelope.ErrorDiagnostic("reading "+key.String(), err))
	default:
		resp.Diagnostics.Append(r.Save(ctx, &resp.State, resp.Identity, resp.Private, m, seen)...)
	}
}

// Update implements [resource.Resource]. All that makes up a run never changes; what is left are its labels, and what only
// the provider knows.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	planned, prior := r.Fresh(), r.Fresh()
	resp.Diagnostics.Append(req.Plan.Get(ctx, planned)...)
	resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	key := synapse.Key{Kind: synapse.KindDrillRun, Name: prior.Name.ValueString()}
	seen, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, r.Session().Client, key)
	switch {
	case client.IsNotFound(err): // see Read
		kept := *prior
		kept.Labels, kept.LabelsAll, kept.FailOn, kept.Timeouts = planned.Labels, planned.LabelsAll, planned.FailOn, planned.Timeouts
		resp.Diagnostics.Append(resp.State.Set(ctx, &kept)...)
		r.Identify(resp.Identity, key)
	case err != nil:
		resp.Diagnostics.Append(envelope.ErrorDiagnostic("reading "+key.String(), err))
	case planned.LabelsAll.Equal(prior.LabelsAll):
		r.Session().StartWriting()
		resp.Diagnostics.Append(r.Save(ctx, &resp.State, resp.Identity, resp.Private, planned, seen)...)
	default:
		r.base.Update(ctx, req, resp)
	}
}

// Delete implements [resource.Resource]. It forgets a run that has ended, whose evidence stays, and aborts one that has not.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	m := r.Fresh()
	resp.Diagnostics.Append(req.State.Get(ctx, m)...)
	timeout, diags := m.Timeouts.Delete(ctx, deleteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !m.Verdict.IsNull() {
		return
	}
	r.Session().StartWriting()
	key := synapse.Key{Kind: synapse.KindDrillRun, Name: m.Name.ValueString()}
	seen, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, r.Session().Client, key)
	switch {
	case client.IsNotFound(err):
		return
	case err != nil:
		resp.Diagnostics.Append(envelope.ErrorDiagnostic("reading "+key.String(), err))
		return
	case ended(seen):
		return
	}
	resp.Diagnostics.Append(r.end(ctx, key, timeout)...)
}

// end aborts a run that is to be forgotten, and waits until what it did is undone.
func (r *Resource) end(ctx context.Context, key synapse.Key, timeout time.Duration) diag.Diagnostics {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	runs := r.runner(ctx, key)
	aborted, err := runs.abort(limited, key.Name, "it was destroyed in Terraform")
	if err == nil {
		_, err = runs.await(limited, aborted)
	}
	switch {
	case err == nil:
		return nil
	case limited.Err() != nil:
		return diag.Diagnostics{diag.NewErrorDiagnostic(fmt.Sprintf("Drill run %q is still being undone", key.Name),
			"It was aborted, and has not ended. synapsed goes on undoing what it did. Apply again later, or raise timeouts.delete.")}
	}
	return diag.Diagnostics{envelope.ErrorDiagnostic("ending "+key.String(), err)}
}

// refused explains why there is no run.
func (r *Resource) refused(key synapse.Key, err error) diag.Diagnostics {
	if client.HasCode(err, synapse.CodeAlreadyExists) {
		return happened(key)
	}
	return r.Refused("running the drill as "+key.String(), err)
}

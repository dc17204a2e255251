package envelope

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// conflictAttempts is how often an update is sent again because only the object's status moved in between.
const conflictAttempts = 10

// errChangedMeanwhile says that someone else changed the wanted state after the plan was made.
var errChangedMeanwhile = errors.New("someone else changed its labels or its specification after the plan was made: plan again to see what differs")

// Update implements [resource.Resource].
func (r *Resource[M, S, T, PM, PS, PT]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	m, prior := r.fresh(), r.fresh()
	resp.Diagnostics.Append(req.Plan.Get(ctx, m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	timeout, diags := m.Base().Timeouts.Update(ctx, r.def.Timeouts.Update)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	key := r.keyOf(m)
	r.session.StartWriting()
	reads := r.reads()
	reads.Wrote(key)
	defer reads.Wrote(key)

	options := client.WriteOptions{}
	if m.Waits() {
		options.Wait = min(quickWait, timeout)
	}
	object, err := r.put(ctx, m, r.priorOf(prior), readFingerprint(ctx, req.Private).ResourceVersion, options)
	switch {
	case client.IsNotFound(err) || client.HasCode(err, synapse.CodeGone):
		resp.Diagnostics.AddError(capital(key.String())+" is gone", "It was deleted outside of Terraform after the plan was made. Plan again to create it anew.")
		return
	case err != nil:
		resp.Diagnostics.Append(r.problemDiagnostics("updating "+key.String(), err, nil)...)
		return
	}
	to := target{&resp.State, resp.Identity, resp.Private}
	resp.Diagnostics.Append(r.save(ctx, to, m, object, false)...)
	resp.Diagnostics.Append(r.awaitReady(ctx, to, m, object, timeout)...)
	resp.Diagnostics.Append(r.warnings(key, m, m)...)
}

// wanted is what a user can want of an object, in the form in which two are compared.
type wanted struct {
	labels map[string]string
	spec   []byte
}

func (w wanted) equal(other wanted) bool {
	return maps.Equal(w.labels, other.labels) && bytes.Equal(w.spec, other.spec)
}

func wantedOf[S any, PS SpecOf[S]](labels map[string]string, spec S) wanted {
	PS(&spec).SetDefaults()
	encoded, err := json.Marshal(spec)
	if err != nil {
		encoded = fmt.Appendf(nil, "%+v", spec)
	}
	return wanted{labels: labels, spec: encoded}
}

// priorOf is what the state says was wanted.
func (r *Resource[M, S, T, PM, PS, PT]) priorOf(m PM) wanted {
	labels := map[string]string{}
	for key, value := range m.Base().LabelsAll.Elements() {
		if text, ok := value.(interface{ ValueString() string }); ok {
			labels[key] = text.ValueString()
		}
	}
	return wantedOf[S, PS](labels, m.ToAPI())
}

// put sends an update. When the object was written since version, it is read: if only its status moved, the update
// is sent again for the version it has now; if it is as wanted already, an earlier answer was lost.
func (r *Resource[M, S, T, PM, PS, PT]) put(ctx context.Context, m PM, prior wanted, version int64, options client.WriteOptions) (*synapse.Object[S, T], error) {
	draft, key := r.draft(m), r.keyOf(m)
	if version == 0 { // a state without a fingerprint
		current, err := client.Get[S, T](ctx, r.session.Client, key)
		if err != nil {
			return nil, err
		}
		version = current.ResourceVersion
	}
	for attempt := 1; ; attempt++ {
		object, err := client.Update[S, T](ctx, r.session.Client, r.def.Kind, draft, version, options)
		if !client.HasCode(err, synapse.CodeConflict) || attempt == conflictAttempts {
			return object, err
		}
		current, err := client.Get[S, T](ctx, r.session.Client, key)
		if err != nil {
			return nil, err
		}
		switch is := wantedOf[S, PS](current.Labels, current.Spec); {
		case is.equal(prior):
			version = current.ResourceVersion
		case is.equal(wantedOf[S, PS](draft.Labels, draft.Spec)):
			return current, nil
		default:
			return nil, fmt.Errorf("%s: %w", key, errChangedMeanwhile)
		}
	}
}

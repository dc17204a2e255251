package trafficsplit

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// LastDecision is the last decision, as a resource shows it.
type LastDecision struct {
	Time    types.String `tfsdk:"time"`
	Action  types.String `tfsdk:"action"`
	Message types.String `tfsdk:"message"`
	By      types.String `tfsdk:"by"`
}

// Decision is an entry of the history.
type Decision struct {
	Time     types.String   `tfsdk:"time"`
	Action   types.String   `tfsdk:"action"`
	Phase    types.String   `tfsdk:"phase"`
	Revision types.String   `tfsdk:"revision"`
	Wave     int64          `tfsdk:"wave"`
	Step     int64          `tfsdk:"step"`
	Weights  map[string]int `tfsdk:"weights"`
	By       types.String   `tfsdk:"by"`
	Message  types.String   `tfsdk:"message"`
	Checks   []CheckResult  `tfsdk:"checks"`
}

// CheckResult is one check's figures.
type CheckResult struct {
	Check     types.String `tfsdk:"check"`
	Candidate *float64     `tfsdk:"candidate"`
	Stable    *float64     `tfsdk:"stable"`
	Max       *float64     `tfsdk:"max"`
	Baseline  *float64     `tfsdk:"baseline"`
	Percent   bool         `tfsdk:"percent"`
	Requests  int64        `tfsdk:"requests"`
	Failed    bool         `tfsdk:"failed"`
	Problem   types.String `tfsdk:"problem"`
}

// see takes over what synapsed says of the split. The phase is the progression's, unless the split failed as an object: then
// the envelope has to know, to give it work to do.
func (m *Model) see(ctx context.Context, status *synapse.TrafficSplitStatus, progresses bool) diag.Diagnostics {
	state := status.State
	if state.Phase != "" && status.Phase != synapse.PhaseFailed {
		m.Phase = types.StringValue(string(state.Phase))
	}
	m.Step, m.Wave = types.Int64Null(), types.Int64Null()
	if progresses {
		m.Step, m.Wave = types.Int64Value(int64(state.Step)), types.Int64Value(int64(state.Wave))
	}
	m.StableBackend, m.ObservedRevision, m.Salt = envelope.Text(state.Stable), envelope.Text(state.Revision), envelope.Text(state.Salt)
	var diags, all diag.Diagnostics
	m.CurrentWeights, diags = types.MapValueFrom(ctx, types.Int64Type, envelope.KeepEmptyMap(map[string]int{}, state.Weights))
	all.Append(diags...)
	m.RegionWeights, diags = types.MapValueFrom(ctx, types.MapType{ElemType: types.Int64Type}, envelope.KeepEmptyMap(map[string]map[string]int{}, state.RegionWeights))
	all.Append(diags...)
	m.LastDecision, diags = lastDecision(ctx, state.LastDecision)
	all.Append(diags...)
	return all
}

func lastDecision(ctx context.Context, decision *synapse.SplitDecision) (types.Object, diag.Diagnostics) {
	objectType, ok := seenAttributes()["last_decision"].GetType().(attr.TypeWithAttributeTypes)
	if !ok {
		return types.Object{}, diag.Diagnostics{diag.NewErrorDiagnostic("Unexpected schema", "last_decision is not an object. This is a bug in the provider: please report it.")}
	}
	if decision == nil {
		return types.ObjectNull(objectType.AttributeTypes()), nil
	}
	return types.ObjectValueFrom(ctx, objectType.AttributeTypes(), LastDecision{
		Time: moment(decision.Time), Action: envelope.Text(decision.Action), Message: types.StringValue(decision.Message), By: envelope.Text(decision.By),
	})
}

// Details returns the history, which would only blow up the state of a resource.
func (m *Model) Details(ctx context.Context, status *synapse.TrafficSplitStatus) (map[string]attr.Value, diag.Diagnostics) {
	history := make([]Decision, 0, len(status.History))
	for _, decision := range status.History {
		entry := Decision{
			Time: moment(decision.Time), Action: envelope.Text(decision.Action), Phase: envelope.Text(decision.Phase), Revision: envelope.Text(decision.Revision),
			Wave: int64(decision.Wave), Step: int64(decision.Step), Weights: decision.Weights, By: envelope.Text(decision.By),
			Message: types.StringValue(decision.Message), Checks: make([]CheckResult, 0, len(decision.Checks)),
		}
		for _, check := range decision.Checks {
			entry.Checks = append(entry.Checks, CheckResult{
				Check: envelope.Text(check.Check), Candidate: check.Candidate, Stable: check.Stable, Max: check.Max, Baseline: check.Baseline,
				Percent: check.Percent, Requests: check.Requests, Failed: check.Failed, Problem: envelope.Text(check.Problem),
			})
		}
		history = append(history, entry)
	}
	listType, ok := details()["history"].GetType().(types.ListType)
	if !ok {
		return nil, diag.Diagnostics{diag.NewErrorDiagnostic("Unexpected schema", "history is not a list. This is a bug in the provider: please report it.")}
	}
	value, diags := types.ListValueFrom(ctx, listType.ElemType, history)
	return map[string]attr.Value{"history": value}, diags
}

func moment(t time.Time) types.String { return envelope.Time(&t) }

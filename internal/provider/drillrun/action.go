package drillrun

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Action is the action synapse_dr_drill_run: a run of which no state is kept.
type Action struct{ runs *Resource }

// Invocation is the action's configuration.
type Invocation struct {
	Inputs
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// NewAction returns the constructor of the action.
func NewAction() func() action.Action {
	construct := envelope.NewResource[Model, synapse.DrillRunSpec, synapse.DrillRunStatus](definition())
	return func() action.Action { return &Action{wrap(construct())} }
}

// Metadata implements [action.Action].
func (a *Action) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + string(synapse.KindDrillRun)
}

// Schema implements [action.Action].
func (a *Action) Schema(ctx context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Runs a drill once, says how far it is, and fails with a verdict in `fail_on`. It does the same as the resource `synapse_dr_drill_run` and keeps nothing in the state: the evidence is in synapsed. " +
			"**It does harm on purpose**, unless `mode` is `plan_only`. Interrupting Terraform aborts the run, and synapsed undoes what it did. Needs Terraform 1.14 or later.",
		Attributes: map[string]schema.Attribute{
			"drill":    schema.StringAttribute{Required: true, MarkdownDescription: describeDrill},
			"triggers": schema.MapAttribute{Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()}, MarkdownDescription: describeTriggers},
			"reason":   schema.StringAttribute{Optional: true, Validators: envelope.NotEmpty(), MarkdownDescription: describeReason},
			"mode": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.OneOf(string(synapse.DrillExecute), string(synapse.DrillPlanOnly))}, MarkdownDescription: describeMode,
			},
			"fail_on":  schema.ListAttribute{Optional: true, ElementType: types.StringType, Validators: knownVerdicts(), MarkdownDescription: describeFailOn()},
			"timeouts": timeoutsAttribute(ctx),
		},
	}
}

func timeoutsAttribute(ctx context.Context) schema.Attribute {
	attribute := timeouts.AttributesWithOpts(ctx, timeouts.Opts{
		InvokeDescription: fmt.Sprintf("After this time the run is aborted, as a duration such as `90s` or `10m`. Default: `%s`.", createTimeout),
	})
	if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long the run may take."
		return nested
	}
	return attribute
}

// Configure implements [action.ActionWithConfigure].
func (a *Action) Configure(ctx context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	var configured resource.ConfigureResponse
	a.runs.Configure(ctx, resource.ConfigureRequest{ProviderData: req.ProviderData}, &configured)
	resp.Diagnostics.Append(configured.Diagnostics...)
}

// ModifyPlan implements [action.ActionWithModifyPlan]: it has the server check the run.
func (a *Action) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var config Invocation
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if session := a.runs.Session(); resp.Diagnostics.HasError() || session == nil || session.Writing() || !config.known(ctx) {
		return
	}
	resp.Diagnostics.Append(a.runs.check(ctx, a.draft(&config))...)
}

// draft is a run of a name that nobody has chosen.
func (a *Action) draft(config *Invocation) synapse.Draft[synapse.DrillRunSpec] {
	return synapse.Draft[synapse.DrillRunSpec]{Name: newName(), Labels: a.runs.Session().LabelsFor(nil), Spec: config.spec()}
}

// Invoke implements [action.Action].
func (a *Action) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config Invocation
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	timeout, diags := config.Timeouts.Invoke(ctx, createTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	failOn := config.FailOn
	if failOn.IsNull() {
		failOn = defaultFailOn()
	}
	session := a.runs.Session()
	session.StartWriting()
	tell := func(text string) { resp.SendProgress(action.InvokeProgressEvent{Message: text}) }
	draft := a.draft(&config)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	last, stopped, err := runner{client: session.Client, tell: tell}.do(limited, draft, func(begun *run) {
		tell(fmt.Sprintf("run %s of drill %s began", begun.Name, begun.Spec.Drill))
	})
	switch {
	case err != nil:
		resp.Diagnostics.Append(a.runs.refused(synapse.Key{Kind: synapse.KindDrillRun, Name: draft.Name}, err)...)
	case stopped != nil:
		resp.Diagnostics.Append(stopped...)
	default:
		resp.Diagnostics.Append(judge(last, failOn, session.Client.Endpoint(), "")...)
	}
}

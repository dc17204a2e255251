package slo

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ErrorBudget is the data source synapse_error_budget.
type ErrorBudget struct{ session *session.Session }

// Budget is an error budget as Terraform holds it.
type Budget struct {
	SLO       types.String  `tfsdk:"slo"`
	Objective types.Float64 `tfsdk:"objective"`
	Window    types.String  `tfsdk:"window"`
	Since     types.String  `tfsdk:"since"`
	Requests  types.Float64 `tfsdk:"requests"`
	Bad       types.Float64 `tfsdk:"bad"`
	Remaining types.Float64 `tfsdk:"remaining"`
	BurnRate  types.Float64 `tfsdk:"burn_rate"`
	Source    types.String  `tfsdk:"source"`
}

// NewErrorBudget returns the data source.
func NewErrorBudget() datasource.DataSource { return &ErrorBudget{} }

// Metadata implements [datasource.DataSource].
func (d *ErrorBudget) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_error_budget"
}

// Schema implements [datasource.DataSource].
func (d *ErrorBudget) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	number := func(description string) schema.Attribute {
		return schema.Float64Attribute{Computed: true, MarkdownDescription: description}
	}
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads how much of an SLO's error budget is left. It moves with every request, which is why it is no attribute of the SLO.",
		Attributes: map[string]schema.Attribute{
			"slo":       schema.StringAttribute{Required: true, MarkdownDescription: "Name of the `synapse_slo`."},
			"objective": number("Percent of the requests that must be good."),
			"window":    text("Time over which the objective must hold."),
			"since":     text("From when on there are figures (RFC 3339): later than the window's beginning when they are not kept that long; null without any."),
			"requests":  number("Requests since then."),
			"bad":       number("Bad requests since then."),
			"remaining": number("Percent of the error budget of these requests that is left; below 0 when the objective is missed."),
			"burn_rate": number("How many times faster than allowed the budget was used up in the last hour."),
			"source":    text("Where the figures are from: `gateways` or `prometheus`."),
		},
	}
}

// Configure implements [datasource.DataSourceWithConfigure].
func (d *ErrorBudget) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	var diags diag.Diagnostics
	d.session, diags = envelope.SessionFrom(req.ProviderData)
	resp.Diagnostics.Append(diags...)
}

// Read implements [datasource.DataSource].
func (d *ErrorBudget) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config Budget
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := config.SLO.ValueString()
	if bad := synapse.ValidateName("/slo", name); len(bad) > 0 {
		resp.Diagnostics.AddAttributeError(path.Root("slo"), "Invalid value", "The name of the SLO "+bad[0].Message+".")
		return
	}
	budget, err := d.session.Client.ErrorBudget(ctx, name)
	switch {
	case client.IsNotFound(err):
		resp.Diagnostics.AddAttributeError(path.Root("slo"), "SLO does not exist",
			"There is no SLO "+name+". If the same configuration creates it, refer to it as synapse_slo.<label>.name, so that Terraform creates it first.")
		return
	case err != nil:
		resp.Diagnostics.Append(envelope.ErrorDiagnostic("reading the error budget of SLO "+name, err))
		return
	}
	var since *time.Time
	if !budget.Since.IsZero() {
		since = &budget.Since
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, Budget{
		SLO: config.SLO, Objective: types.Float64Value(budget.Objective), Window: envelope.Text(budget.Window), Since: envelope.Time(since),
		Requests: types.Float64Value(budget.Requests), Bad: types.Float64Value(budget.Bad),
		Remaining: types.Float64Value(budget.Remaining), BurnRate: types.Float64Value(budget.BurnRate), Source: envelope.Text(budget.Source),
	})...)
}

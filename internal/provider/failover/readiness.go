package failover

import (
	"context"

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

// ReadinessSource is the data source synapse_readiness.
type ReadinessSource struct{ session *session.Session }

// LiveReadiness says whether a failover would work now.
type LiveReadiness struct {
	Policy    types.String `tfsdk:"policy"`
	Ready     bool         `tfsdk:"ready"`
	Target    types.String `tfsdk:"target"`
	CheckedAt types.String `tfsdk:"checked_at"`
	Checks    []Check      `tfsdk:"checks"`
}

// Check is one thing that a failover needs.
type Check struct {
	Name    types.String `tfsdk:"name"`
	OK      bool         `tfsdk:"ok"`
	Message types.String `tfsdk:"message"`
}

// NewReadiness returns the data source.
func NewReadiness() datasource.DataSource { return &ReadinessSource{} }

// Metadata implements [datasource.DataSource].
func (d *ReadinessSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_readiness"
}

// Schema implements [datasource.DataSource].
func (d *ReadinessSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Looks whether a failover of a policy would work now, with all figures. It looks when it is read: in a `check` block, every plan says what is missing.",
		Attributes: map[string]schema.Attribute{
			"policy":     schema.StringAttribute{Required: true, MarkdownDescription: "Name of the `synapse_failover_policy`."},
			"ready":      schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether all checks hold."},
			"target":     schema.StringAttribute{Computed: true, MarkdownDescription: "Name of the region that would take over; null when none is fit."},
			"checked_at": schema.StringAttribute{Computed: true, MarkdownDescription: "When it was looked at (RFC 3339)."},
			"checks": schema.ListNestedAttribute{Computed: true, MarkdownDescription: "What was looked at.", NestedObject: schema.NestedAttributeObject{
				Attributes: map[string]schema.Attribute{
					"name":    schema.StringAttribute{Computed: true, MarkdownDescription: "What was looked at, such as `database`, `replication_lag` or `ready_replicas`."},
					"ok":      schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether it is as it must be."},
					"message": schema.StringAttribute{Computed: true, MarkdownDescription: "What was seen, with its numbers, and what to do."},
				},
			}},
		},
	}
}

// Configure implements [datasource.DataSourceWithConfigure].
func (d *ReadinessSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	var diags diag.Diagnostics
	d.session, diags = envelope.SessionFrom(req.ProviderData)
	resp.Diagnostics.Append(diags...)
}

// Read implements [datasource.DataSource].
func (d *ReadinessSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var result LiveReadiness
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("policy"), &result.Policy)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := result.Policy.ValueString()
	if bad := synapse.ValidateName("/policy", name); len(bad) > 0 {
		resp.Diagnostics.AddAttributeError(path.Root("policy"), "Invalid value", "The name of the failover policy "+bad[0].Message+".")
		return
	}
	readiness, err := d.session.Client.Readiness(ctx, name)
	switch {
	case client.IsNotFound(err):
		resp.Diagnostics.AddAttributeError(path.Root("policy"), "Failover policy does not exist",
			"There is no failover policy "+name+". If the same configuration creates it, refer to it as synapse_failover_policy.<label>.name, so that Terraform creates it first.")
		return
	case err != nil:
		resp.Diagnostics.Append(envelope.ErrorDiagnostic("looking at the readiness of failover policy "+name, err))
		return
	}
	result.Ready, result.Target, result.CheckedAt = readiness.Ready, envelope.Text(readiness.Target), envelope.Time(&readiness.CheckedAt)
	result.Checks = make([]Check, 0, len(readiness.Checks))
	for _, check := range readiness.Checks {
		result.Checks = append(result.Checks, Check{Name: types.StringValue(check.Name), OK: check.OK, Message: types.StringValue(check.Message)})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, result)...)
}

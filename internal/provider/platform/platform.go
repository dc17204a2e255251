// Package platform is the data source synapse_platform.
package platform

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
)

// DataSource is the data source synapse_platform.
type DataSource struct{ session *session.Session }

// Model is the platform as Terraform holds it.
type Model struct {
	Version          types.String `tfsdk:"version"`
	APIVersion       types.String `tfsdk:"api_version"`
	Environment      types.String `tfsdk:"environment"`
	EntryURL         types.String `tfsdk:"entry_url"`
	DatabaseEndpoint types.String `tfsdk:"database_endpoint"`
	Registry         types.String `tfsdk:"registry"`
	Regions          []string     `tfsdk:"regions"`
	TenantFrom       []string     `tfsdk:"tenant_from"`
}

// New returns the data source.
func New() datasource.DataSource { return &DataSource{} }

// Metadata implements [datasource.DataSource].
func (d *DataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_platform"
}

// Schema implements [datasource.DataSource].
func (d *DataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Describes the control plane that the provider talks to.",
		Attributes: map[string]schema.Attribute{
			"version":           text("Version of synapsed."),
			"api_version":       text("Version of its API."),
			"environment":       text("Environment that the control plane runs."),
			"entry_url":         text("Base URL of the global entry, which routes to the nearest healthy region."),
			"database_endpoint": text("`host:port` that always leads to the current primary database."),
			"registry":          text("`host:port` of the built-in image registry."),
			"regions":           schema.SetAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Names of the regions."},
			"tenant_from": schema.SetAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Sources of the tenant of a request: `header` (`X-Synapse-Tenant` from any client), " +
				"`trusted-header`, `host`, `jwt`. See the guide [Tenants and proxies](../guides/tenants-and-proxies)."},
		},
	}
}

// Configure implements [datasource.DataSourceWithConfigure].
func (d *DataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	var diags diag.Diagnostics
	d.session, diags = envelope.SessionFrom(req.ProviderData)
	resp.Diagnostics.Append(diags...)
}

// Read implements [datasource.DataSource].
func (d *DataSource) Read(ctx context.Context, _ datasource.ReadRequest, resp *datasource.ReadResponse) {
	platform, err := d.session.Client.Platform(ctx)
	if err != nil {
		resp.Diagnostics.Append(envelope.ErrorDiagnostic("reading the platform", err))
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, Model{
		Version: types.StringValue(platform.Version), APIVersion: types.StringValue(platform.APIVersion), Environment: types.StringValue(platform.Environment),
		EntryURL: envelope.Text(platform.EntryURL), DatabaseEndpoint: envelope.Text(platform.DatabaseEndpoint), Registry: envelope.Text(platform.Registry),
		Regions: envelope.KeepEmpty([]string{}, platform.Regions), TenantFrom: envelope.KeepEmpty([]string{}, platform.TenantFrom),
	})...)
}

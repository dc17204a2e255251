package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// issuedKey is where an open ephemeral resource keeps what it needs to revoke its credentials.
const issuedKey = "issued"

// issued identifies credentials without their secret.
type issued struct {
	Tenant string `json:"tenant"`
	ID     string `json:"id"`
}

// Credentials is the ephemeral resource synapse_tenant_credentials.
type Credentials struct{ session *session.Session }

// CredentialsModel is what Terraform holds of credentials while it runs.
type CredentialsModel struct {
	Tenant    types.String      `tfsdk:"tenant"`
	TTL       envelope.Duration `tfsdk:"ttl"`
	Username  types.String      `tfsdk:"username"`
	Password  types.String      `tfsdk:"password"`
	Host      types.String      `tfsdk:"host"`
	Port      types.Int64       `tfsdk:"port"`
	Database  types.String      `tfsdk:"database"`
	Schema    types.String      `tfsdk:"schema"`
	URL       types.String      `tfsdk:"url"`
	ExpiresAt types.String      `tfsdk:"expires_at"`
}

// NewCredentials returns the ephemeral resource synapse_tenant_credentials.
func NewCredentials() ephemeral.EphemeralResource { return &Credentials{} }

// Metadata implements [ephemeral.EphemeralResource].
func (c *Credentials) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_tenant_credentials"
}

// Schema implements [ephemeral.EphemeralResource].
func (c *Credentials) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	secret := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, Sensitive: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Short-lived PostgreSQL credentials for a tenant's data. They are in no plan and no state, and are revoked when Terraform needs them no more.",
		Attributes: map[string]schema.Attribute{
			"tenant": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the tenant."},
			"ttl": schema.StringAttribute{Optional: true, CustomType: envelope.DurationType{},
				MarkdownDescription: "How long the credentials work at most, as a duration of `1m` to `24h`. Default: `15m`."},
			"username":   text("PostgreSQL user."),
			"password":   secret("Password of the user."),
			"host":       text("Host of the database write endpoint."),
			"port":       schema.Int64Attribute{Computed: true, MarkdownDescription: "TCP port of the database write endpoint."},
			"database":   text("Database that holds the tenant's data."),
			"schema":     text("Schema that holds the tenant's data."),
			"url":        secret("All of it as a PostgreSQL connection URL, with the password."),
			"expires_at": text("When the credentials stop working (RFC 3339)."),
		},
	}
}

// Configure implements [ephemeral.EphemeralResourceWithConfigure].
func (c *Credentials) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	var diags diag.Diagnostics
	c.session, diags = envelope.SessionFrom(req.ProviderData)
	resp.Diagnostics.Append(diags...)
}

// ValidateConfig implements [ephemeral.EphemeralResourceWithValidateConfig].
func (c *Credentials) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	var m CredentialsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !m.Tenant.IsUnknown() {
		for _, field := range synapse.ValidateName("/tenant", m.Tenant.ValueString()) {
			resp.Diagnostics.AddAttributeError(path.Root("tenant"), "Invalid value", field.Message)
		}
	}
	if !m.TTL.IsUnknown() {
		request := m.request()
		request.SetDefaults()
		for _, field := range request.Validate() {
			resp.Diagnostics.AddAttributeError(path.Root("ttl"), "Invalid value", field.Message)
		}
	}
}

func (m *CredentialsModel) request() synapse.CredentialsRequest {
	return synapse.CredentialsRequest{TTL: synapse.Duration(m.TTL.ValueString())}
}

// Open implements [ephemeral.EphemeralResource].
func (c *Credentials) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m CredentialsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	tenant := m.Tenant.ValueString()
	credentials, err := c.session.Client.IssueCredentials(ctx, tenant, m.request())
	if client.IsNotFound(err) && c.session.WillCreate(synapse.Key{Kind: synapse.KindTenant, Name: tenant}) {
		// A plan opens ephemeral resources too, and this one is of a tenant that the apply will create first.
		m.forget()
		resp.Diagnostics.Append(resp.Result.Set(ctx, m)...)
		return
	}
	if err != nil {
		resp.Diagnostics.Append(envelope.ErrorDiagnostic(fmt.Sprintf("issuing credentials for tenant %q", tenant), err))
		return
	}
	// Close revokes what this remembers; the secret itself is not kept.
	mark, err := json.Marshal(issued{Tenant: tenant, ID: credentials.ID})
	if err != nil {
		resp.Diagnostics.AddError("Encoding private data failed", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, issuedKey, mark)...)
	m.fill(credentials)
	resp.Diagnostics.Append(resp.Result.Set(ctx, m)...)
}

// forget makes everything unknown that is issued.
func (m *CredentialsModel) forget() {
	m.Username, m.Password = types.StringUnknown(), types.StringUnknown()
	m.Host, m.Port = types.StringUnknown(), types.Int64Unknown()
	m.Database, m.Schema = types.StringUnknown(), types.StringUnknown()
	m.URL, m.ExpiresAt = types.StringUnknown(), types.StringUnknown()
}

func (m *CredentialsModel) fill(credentials *synapse.Credentials) {
	m.Username, m.Password = types.StringValue(credentials.Username), types.StringValue(credentials.Password)
	m.Host, m.Port = types.StringValue(credentials.Host), types.Int64Value(int64(credentials.Port))
	m.Database, m.Schema = types.StringValue(credentials.Database), types.StringValue(credentials.Schema)
	m.URL, m.ExpiresAt = types.StringValue(credentials.URL), types.StringValue(credentials.ExpiresAt.UTC().Format(time.RFC3339))
}

// Close implements [ephemeral.EphemeralResourceWithClose]: it revokes the credentials.
func (c *Credentials) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	value, diags := req.Private.GetKey(ctx, issuedKey)
	resp.Diagnostics.Append(diags...)
	var mark issued
	if len(value) == 0 || json.Unmarshal(value, &mark) != nil {
		return
	}
	if err := c.session.Client.RevokeCredentials(ctx, mark.Tenant, mark.ID); err != nil {
		failure := envelope.ErrorDiagnostic(fmt.Sprintf("revoking the credentials for tenant %q", mark.Tenant), err)
		resp.Diagnostics.AddWarning("Credentials were not revoked", failure.Detail()+" They stop working by themselves when their time is over.")
	}
}

// Package provider is the Terraform provider for Synapse: its configuration, and the list of what it offers. What all
// resources do alike is in package envelope; each kind has a package of its own.
package provider

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/deployment"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/drill"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/drillrun"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/failover"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/functions"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/platform"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/region"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/service"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/slo"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/tenant"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/trafficsplit"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/unchanged"
)

// Address is the provider's address in the registry.
const Address = "registry.terraform.io/apex-innovations/synapse"

var (
	_ provider.Provider                       = (*Provider)(nil)
	_ provider.ProviderWithEphemeralResources = (*Provider)(nil)
	_ provider.ProviderWithFunctions          = (*Provider)(nil)
	_ provider.ProviderWithActions            = (*Provider)(nil)
)

// Provider is the provider. Its resources' schemas are built once, with it.
type Provider struct {
	version     string
	getenv      func(string) string
	resources   []func() resource.Resource
	dataSources []func() datasource.DataSource
	actions     []func() action.Action
	// session is the one of the last configuration.
	session atomic.Pointer[session.Session]
}

// New returns the provider of a version. getenv reads the environment, as [os.Getenv] does.
func New(version string, getenv func(string) string) *Provider {
	return &Provider{
		version: version, getenv: getenv,
		resources: []func() resource.Resource{
			region.Resource(), tenant.Resource(), service.Resource(), deployment.Resource(), slo.Resource(), trafficsplit.Resource(),
			failover.Resource(), drill.Resource(), drillrun.New(),
		},
		dataSources: slices.Concat([]func() datasource.DataSource{platform.New},
			region.DataSources(), tenant.DataSources(), service.DataSources(), deployment.DataSources(),
			slo.DataSources(), trafficsplit.DataSources(), failover.DataSources(), drill.DataSources(), drillrun.DataSources()),
		actions: []func() action.Action{drillrun.NewAction()},
	}
}

// Server returns the provider as Terraform's plugin protocol, version 6, has it.
func (p *Provider) Server() (tfprotov6.ProviderServer, error) {
	return unchanged.Wrap(providerserver.NewProtocol6(p)(), p.Session)
}

// Session is what the provider was last configured to, or nil.
func (p *Provider) Session() *session.Session { return p.session.Load() }

// Metadata implements [provider.Provider].
func (p *Provider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "synapse", p.version
}

// Resources implements [provider.Provider].
func (p *Provider) Resources(context.Context) []func() resource.Resource { return p.resources }

// DataSources implements [provider.Provider].
func (p *Provider) DataSources(context.Context) []func() datasource.DataSource { return p.dataSources }

// Actions implements [provider.ProviderWithActions]. Terraform before 1.14 knows nothing of them.
func (p *Provider) Actions(context.Context) []func() action.Action { return p.actions }

// EphemeralResources implements [provider.ProviderWithEphemeralResources].
func (p *Provider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{tenant.NewCredentials}
}

// Functions implements [provider.ProviderWithFunctions].
func (p *Provider) Functions(context.Context) []func() function.Function { return functions.All() }

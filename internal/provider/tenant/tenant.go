// Package tenant is the resource synapse_tenant, its data sources, and the ephemeral resource
// synapse_tenant_credentials.
package tenant

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_tenant.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.TenantSpec, synapse.TenantStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_tenant and synapse_tenants.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.TenantSpec, synapse.TenantStatus](definition()),
		envelope.NewListDataSource[Model, synapse.TenantSpec, synapse.TenantStatus](definition()),
	}
}

func definition() envelope.Definition {
	return envelope.Definition{
		Kind: synapse.KindTenant,
		Description: "A customer of the platform, with its own data, limits and regions. No change of an argument destroys data: what cannot be changed in place is an error that says what to do. " +
			"Destroying it takes it out of service and keeps its data for `offboarding.grace_period`, in which it can be restored.",
		Timeouts:   envelope.Timeouts{Create: 5 * time.Minute, Update: 5 * time.Minute, Delete: 5 * time.Minute},
		Volatile:   []string{"endpoints", "purge_after"},
		Attributes: attributes(),
	}
}

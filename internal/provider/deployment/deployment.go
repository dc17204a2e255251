// Package deployment is the resource synapse_service_deployment and its data sources.
package deployment

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_service_deployment.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.DeploymentSpec, synapse.DeploymentStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_service_deployment and
// synapse_service_deployments.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.DeploymentSpec, synapse.DeploymentStatus](definition()),
		envelope.NewListDataSource[Model, synapse.DeploymentSpec, synapse.DeploymentStatus](definition()),
	}
}

func definition() envelope.Definition {
	return envelope.Definition{
		Kind: synapse.KindServiceDeployment,
		Description: "One running version of a service, from a container image, in some regions. A change is rolled out replica by replica while the old revision serves. " +
			"When a rollout fails, the old revision goes on serving, the error says why, and the next plan still shows the work to do.",
		Timeouts:     envelope.Timeouts{Create: 15 * time.Minute, Update: 15 * time.Minute, Delete: 10 * time.Minute},
		Volatile:     []string{"desired_revision", "live_revision", "status"},
		ProviderOnly: []string{waitForAttribute},
		Attributes:   attributes(),
	}
}

// Package failover is the resource synapse_failover_policy, its data sources, and the data source synapse_readiness.
package failover

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_failover_policy.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_failover_policy, synapse_failover_policies and
// synapse_readiness.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](definition()),
		envelope.NewListDataSource[Model, synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](definition()),
		NewReadiness,
	}
}

func definition() envelope.Definition {
	return envelope.Definition{
		Kind: synapse.KindFailoverPolicy,
		Description: "How a set of services and their database survive the loss of a region: where they go, in which steps, who decides, and how fast it must be. " +
			"Applying it moves nothing. What synapsed moves later, the active region and the primary database, is a computed attribute and never causes a plan; " +
			"a plan warns while another region than the preferred one serves, and when the last failover or failback failed. Whether a failover would work now is the data source `synapse_readiness`, " +
			"and whether it did when it was tried is a `synapse_dr_drill`.",
		Timeouts:    envelope.Timeouts{Create: 5 * time.Minute, Update: 5 * time.Minute, Delete: 5 * time.Minute},
		Volatile:    []string{"active_region", "readiness", "last_transition"},
		Attributes:  attributes(),
		CheckedWith: checkedWith(),
		Details:     details(),
	}
}

// checkedWith says which attributes are checked against others.
func checkedWith() map[string][]string {
	return map[string][]string{
		"objectives": {"replication", "steps"},
		"detection":  {"standby"},
	}
}

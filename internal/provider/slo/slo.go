// Package slo is the resource synapse_slo, its data sources, and the data source synapse_error_budget.
package slo

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_slo.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.SLOSpec, synapse.SLOStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_slo, synapse_slos and synapse_error_budget.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.SLOSpec, synapse.SLOStatus](definition()),
		envelope.NewListDataSource[Model, synapse.SLOSpec, synapse.SLOStatus](definition()),
		NewErrorBudget,
	}
}

func definition() envelope.Definition {
	return envelope.Definition{
		Kind: synapse.KindSLO,
		Description: "A service level objective: how many of a service's requests must be good. It judges the candidates of traffic splits, and compiles to Prometheus recording and alert rules " +
			"on the rate at which the error budget is used up (`rules_yaml`). What is left of the budget is the data source `synapse_error_budget`. " +
			"The gateways measure it. With `ratio`, a request is bad when it ends in a server error (5xx, including the gateway's own 502 and 504 on behalf of the service), when its client gives up after " +
			"the service's `abandoned_after`, or when the response is cut off. Requests whose client leaves earlier are not counted, provided that the service responds in time. " +
			"With `latency`, a request is good when the response headers arrive within `threshold`: the duration of a WebSocket, an event stream or a long download does not matter. " +
			"A request that is never answered is not good, even if its client left before the threshold.",
		Timeouts:   envelope.Timeouts{Create: 5 * time.Minute, Update: 5 * time.Minute, Delete: 5 * time.Minute},
		Volatile:   []string{"rules_yaml"},
		Attributes: attributes(),
	}
}

// Package drill is the resource synapse_dr_drill and its data sources.
package drill

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_dr_drill.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.DrillSpec, synapse.DrillStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_dr_drill and synapse_dr_drills.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.DrillSpec, synapse.DrillStatus](definition()),
		envelope.NewListDataSource[Model, synapse.DrillSpec, synapse.DrillStatus](definition()),
	}
}

func definition() envelope.Definition {
	return envelope.Definition{
		Kind: synapse.KindDrill,
		Description: "The definition of a drill: which harm is done to which region, what must hold meanwhile, and when it may run. **Applying it runs nothing**: " +
			"a `synapse_dr_drill_run`, the action `synapse_dr_drill_run` or the `schedule` does. A plan warns while the evidence is stale, and when the last run was not passed.",
		Timeouts:    envelope.Timeouts{Create: 5 * time.Minute, Update: 5 * time.Minute, Delete: 30 * time.Minute},
		Volatile:    []string{"definition_digest", "next_run_at", "evidence_status", "evidence_message", "last_run"},
		Attributes:  attributes(),
		CheckedWith: checkedWith(),
		Details:     details(),
	}
}

// checkedWith says which attributes are checked against others.
func checkedWith() map[string][]string {
	return map[string][]string{
		"max_duration": {"steady_state", "steady_state.observe", "scenario", "scenario.hold"},
		"windows":      {"schedule.timezone"},
	}
}

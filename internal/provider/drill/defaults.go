package drill

import (
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// fallback asks the domain for its defaults, so that a plan shows what the server would choose. It has a schedule and one
// window.
func fallback() synapse.DrillSpec {
	spec := synapse.DrillSpec{Schedule: &synapse.DrillSchedule{}, Windows: synapse.DrillWindows{Allow: make([]synapse.Window, 1)}}
	spec.SetDefaults()
	return spec
}

func defaultMethod() []planmodifier.String {
	return ofScenario(func(scenario synapse.DrillScenarioSpec) types.String { return envelope.Text(scenario.Method) })
}

func defaultLatency() []planmodifier.String {
	return ofScenario(func(scenario synapse.DrillScenarioSpec) types.String { return envelope.Text(scenario.Latency) })
}

func ofScenario(value func(synapse.DrillScenarioSpec) types.String) []planmodifier.String {
	return []planmodifier.String{envelope.Derived("The default depends on the type of the scenario.", func(plan envelope.Planned, scenario path.Path) types.String {
		scenarioType := plan.Text(scenario.AtName("type"))
		if scenarioType.IsUnknown() {
			return scenarioType
		}
		spec := synapse.DrillSpec{Scenario: synapse.DrillScenarioSpec{Type: synapse.DrillScenario(scenarioType.ValueString())}}
		spec.SetDefaults()
		return value(spec.Scenario)
	})}
}

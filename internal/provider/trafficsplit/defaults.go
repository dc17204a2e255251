package trafficsplit

import (
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// The functions here ask the domain for its defaults, so that a plan shows what the server would choose.

func defaultPathPrefix() string {
	var spec synapse.TrafficSplitSpec
	spec.SetDefaults()
	return spec.Route.PathPrefix
}

func defaultMirror() synapse.Mirror {
	spec := synapse.TrafficSplitSpec{Mirror: &synapse.Mirror{}}
	spec.SetDefaults()
	return *spec.Mirror
}

// defaultProgression has one step, one wave and one window.
func defaultProgression() synapse.Progression {
	spec := synapse.TrafficSplitSpec{Progression: &synapse.Progression{
		Steps: make([]synapse.SplitStep, 1), Waves: make([]synapse.SplitWave, 1), Windows: make([]synapse.Window, 1),
	}}
	spec.SetDefaults()
	return *spec.Progression
}

func defaultReplacePrefix() planmodifier.String {
	return envelope.Derived("The default depends on the kind of backend and the route.", func(plan envelope.Planned, backend path.Path) types.String {
		deployment, url := plan.Text(backend.AtName("deployment")), plan.Text(backend.AtName("url"))
		prefix := plan.Text(path.Root("route").AtName("path_prefix"))
		if deployment.IsUnknown() && !url.IsNull() || deployment.IsNull() && prefix.IsUnknown() {
			return types.StringUnknown()
		}
		const name = "backend"
		spec := synapse.TrafficSplitSpec{Route: synapse.SplitRoute{PathPrefix: prefix.ValueString()}, Backends: map[string]synapse.SplitBackend{name: {}}}
		if !deployment.IsNull() {
			spec.Backends[name] = synapse.SplitBackend{Deployment: "service/name"}
		}
		spec.SetDefaults()
		return envelope.Text(spec.Backends[name].ReplacePrefix)
	})
}

func defaultAffinityName() planmodifier.String {
	return envelope.Derived("The default depends on the key.", func(plan envelope.Planned, affinity path.Path) types.String {
		key := plan.Text(affinity.AtName("key"))
		if key.IsUnknown() {
			return key
		}
		spec := synapse.TrafficSplitSpec{Affinity: &synapse.Affinity{Key: synapse.AffinityKey(key.ValueString())}}
		spec.SetDefaults()
		return envelope.Text(spec.Affinity.Name)
	})
}

func defaultSameSite() planmodifier.String {
	return envelope.Derived("The default depends on the key.", func(plan envelope.Planned, affinity path.Path) types.String {
		key := plan.Text(affinity.AtName("key"))
		if key.IsUnknown() {
			return key
		}
		spec := synapse.TrafficSplitSpec{Affinity: &synapse.Affinity{Key: synapse.AffinityKey(key.ValueString())}}
		spec.SetDefaults()
		return envelope.Text(spec.Affinity.SameSite)
	})
}

func defaultHold() planmodifier.String {
	return envelope.Derived("The default depends on the interval of the analysis.", func(plan envelope.Planned, _ path.Path) types.String {
		interval := plan.Text(path.Root("progression").AtName("analysis").AtName("interval"))
		if interval.IsUnknown() {
			return interval
		}
		spec := synapse.TrafficSplitSpec{Progression: &synapse.Progression{
			Steps: make([]synapse.SplitStep, 1), Analysis: synapse.SplitAnalysis{Interval: synapse.Duration(interval.ValueString())},
		}}
		spec.SetDefaults()
		return envelope.Text(spec.Progression.Steps[0].Hold)
	})
}

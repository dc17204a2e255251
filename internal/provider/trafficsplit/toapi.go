package trafficsplit

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.TrafficSplitSpec {
	spec := synapse.TrafficSplitSpec{Pins: m.Pins, Progression: m.Progression.toAPI(), Timeouts: m.Limits.ToAPI()}
	if m.Route != nil {
		spec.Route = synapse.SplitRoute{Host: m.Route.Host.ValueString(), PathPrefix: m.Route.PathPrefix.ValueString(), Methods: m.Route.Methods}
	}
	if len(m.Backends) > 0 {
		spec.Backends = make(map[string]synapse.SplitBackend, len(m.Backends))
	}
	for name, backend := range m.Backends {
		spec.Backends[name] = synapse.SplitBackend{
			Role: synapse.SplitRole(backend.Role.ValueString()), Deployment: backend.Deployment.ValueString(), URL: backend.URL.ValueString(),
			ReplacePrefix: backend.ReplacePrefix.ValueString(), RewriteResponses: backend.RewriteResponses.ValueBoolPointer(),
		}
	}
	if len(m.Weights) > 0 {
		spec.Weights = make(map[string]int, len(m.Weights))
	}
	for name, weight := range m.Weights {
		spec.Weights[name] = whole(weight)
	}
	if a := m.Affinity; a != nil {
		spec.Affinity = &synapse.Affinity{Key: synapse.AffinityKey(a.Key.ValueString()), Name: a.Name.ValueString(), SameSite: synapse.SameSite(a.SameSite.ValueString()), Salt: a.Salt.ValueString()}
	}
	for _, match := range m.Match {
		spec.Match = append(spec.Match, synapse.SplitMatch{Header: match.Header.ValueString(), Value: match.Value.ValueString(), Backend: match.Backend.ValueString()})
	}
	if m.Mirror != nil {
		spec.Mirror = &synapse.Mirror{Backend: m.Mirror.Backend.ValueString(), Percent: whole(m.Mirror.Percent), Methods: m.Mirror.Methods}
	}
	return spec
}

func (p *Progression) toAPI() *synapse.Progression {
	if p == nil {
		return nil
	}
	result := &synapse.Progression{
		Revision: p.Revision.ValueString(), Soak: span(p.Soak), Analysis: p.Analysis.toAPI(),
		OnFailure: synapse.OnFailure(p.OnFailure.ValueString()), OnUpdate: synapse.OnUpdate(p.OnUpdate.ValueString()),
	}
	for _, step := range p.Steps {
		result.Steps = append(result.Steps, synapse.SplitStep{Weight: whole(step.Weight), Hold: span(step.Hold), Gate: synapse.SplitGate(step.Gate.ValueString())})
	}
	for _, wave := range p.Waves {
		result.Waves = append(result.Waves, synapse.SplitWave{Regions: wave.Regions, Soak: span(wave.Soak)})
	}
	result.Windows = window.ToAPI(p.Windows)
	return result
}

func (a *Analysis) toAPI() synapse.SplitAnalysis {
	if a == nil {
		return synapse.SplitAnalysis{}
	}
	result := synapse.SplitAnalysis{Interval: span(a.Interval), MinRequests: whole(a.MinRequests), OnNoData: synapse.OnNoData(a.OnNoData.ValueString())}
	for _, check := range a.Checks {
		result.Checks = append(result.Checks, synapse.SplitCheck{
			SLO: check.SLO.ValueString(), Query: check.Query.ValueString(), FailureLimit: whole(check.FailureLimit),
			Max: check.Max.ValueFloat64Pointer(), Baseline: check.Baseline.ValueFloat64Pointer(),
		})
	}
	return result
}

func whole(number types.Int64) int { return int(number.ValueInt64()) }

func span(duration envelope.Duration) synapse.Duration {
	return synapse.Duration(duration.ValueString())
}

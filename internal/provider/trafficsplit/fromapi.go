package trafficsplit

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/requesttimeouts"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(ctx context.Context, split *synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]) diag.Diagnostics {
	spec := split.Spec
	m.Route = routeFrom(m.Route, spec.Route)
	backends := make(map[string]Backend, len(spec.Backends))
	for name, backend := range spec.Backends {
		backends[name] = Backend{
			Role: envelope.Text(backend.Role), Deployment: envelope.Text(backend.Deployment), URL: envelope.Text(backend.URL),
			ReplacePrefix: envelope.Text(backend.ReplacePrefix), RewriteResponses: types.BoolValue(backend.RewritesResponses()),
		}
	}
	m.Backends = backends
	weights := make(map[string]types.Int64, len(spec.Weights))
	for name, weight := range spec.Weights {
		weights[name] = types.Int64Value(int64(weight))
	}
	m.Weights = envelope.KeepEmptyMap(m.Weights, weights)
	m.Progression = progressionFrom(m.Progression, spec.Progression)
	m.Limits = requesttimeouts.FromAPI(spec.Timeouts)
	m.Affinity, m.Mirror = nil, nil
	if spec.Affinity != nil {
		filled := synapse.TrafficSplitSpec{Affinity: new(*spec.Affinity)}
		filled.SetDefaults() // same_site is missing in what was stored before it existed
		a := filled.Affinity
		m.Affinity = &Affinity{Key: envelope.Text(a.Key), Name: envelope.Text(a.Name), SameSite: envelope.Text(a.SameSite), Salt: envelope.Text(a.Salt)}
	}
	if mirror := spec.Mirror; mirror != nil {
		m.Mirror = &Mirror{Backend: envelope.Text(mirror.Backend), Percent: types.Int64Value(int64(mirror.Percent)), Methods: mirror.Methods}
	}
	m.Pins = envelope.KeepEmptyMap(m.Pins, spec.Pins)
	matches := make([]Match, 0, len(spec.Match))
	for _, match := range spec.Match {
		matches = append(matches, Match{Header: types.StringValue(match.Header), Value: types.StringValue(match.Value), Backend: types.StringValue(match.Backend)})
	}
	m.Match = envelope.KeepEmpty(m.Match, matches)
	return m.see(ctx, &split.Status, spec.Progression != nil)
}

// routeFrom keeps the capitals of a host name, which mean nothing.
func routeFrom(before *Route, route synapse.SplitRoute) *Route {
	result := &Route{Host: envelope.Text(route.Host), PathPrefix: envelope.Text(route.PathPrefix), Methods: route.Methods}
	if before != nil {
		if strings.EqualFold(before.Host.ValueString(), route.Host) {
			result.Host = before.Host
		}
		result.Methods = envelope.KeepEmpty(before.Methods, route.Methods)
	}
	return result
}

func progressionFrom(before *Progression, p *synapse.Progression) *Progression {
	if p == nil {
		return nil
	}
	if before == nil {
		before = &Progression{}
	}
	result := &Progression{
		Revision: envelope.Text(p.Revision), Soak: envelope.NewDuration(p.Soak), Analysis: analysisFrom(p.Analysis),
		OnFailure: envelope.Text(p.OnFailure), OnUpdate: envelope.Text(p.OnUpdate),
	}
	for _, step := range p.Steps {
		result.Steps = append(result.Steps, Step{Weight: types.Int64Value(int64(step.Weight)), Hold: envelope.NewDuration(step.Hold), Gate: envelope.Text(step.Gate)})
	}
	for _, wave := range p.Waves {
		result.Waves = append(result.Waves, Wave{Regions: wave.Regions, Soak: envelope.NewDuration(wave.Soak)})
	}
	result.Waves, result.Windows = envelope.KeepEmpty(before.Waves, result.Waves), window.FromAPI(before.Windows, p.Windows)
	return result
}

func analysisFrom(a synapse.SplitAnalysis) *Analysis {
	result := &Analysis{Interval: envelope.NewDuration(a.Interval), MinRequests: types.Int64Value(int64(a.MinRequests)), OnNoData: envelope.Text(a.OnNoData)}
	for _, check := range a.Checks {
		result.Checks = append(result.Checks, Check{
			SLO: envelope.Text(check.SLO), Query: envelope.Text(check.Query), FailureLimit: types.Int64Value(int64(check.FailureLimit)),
			Max: types.Float64PointerValue(check.Max), Baseline: types.Float64PointerValue(check.Baseline),
		})
	}
	return result
}

package provider_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const splitPath = "/v1/traffic-splits/login"

// progressing is the configuration of a split whose progression visits every phase, with changes to its nested values.
func progressing(h *providertest.Host, changes ...func(progression plain)) providertest.Attributes {
	progression := plain{
		"revision": "r1",
		"steps":    []any{plain{"weight": 5}, plain{"weight": 100, "gate": "manual"}},
		"waves":    []any{plain{"regions": []any{"eu"}, "soak": "10m"}, plain{"regions": []any{"us"}}},
		"soak":     "1h",
		"analysis": plain{"checks": []any{plain{"slo": "login"}}},
	}
	for _, change := range changes {
		change(progression)
	}
	return providertest.Attributes{
		"name": providertest.Text("login"), "route": h.Make(splitType, "route", plain{"path_prefix": "/auth"}),
		"backends": h.Make(splitType, "backends", plain{
			"monolith": plain{"role": "stable", "url": "http://127.0.0.1:8080"},
			"auth":     plain{"role": "candidate", "deployment": "auth/v1"},
		}),
		"progression": h.Make(splitType, "progression", progression),
	}
}

func revision(name string) func(plain) {
	return func(progression plain) { progression["revision"] = name }
}

// clock lets a test's splits age.
type clock struct{ now time.Time }

// look lets a split see the world, a minute or what is asked for later.
func (c *clock) look(server *providertest.Server, later time.Duration, seen synapse.SplitObservation) {
	c.now = c.now.Add(later)
	server.Edit(splitPath, func(o *providertest.Object) { o.Observe(seen, c.now) })
}

// act lets a user act on a split.
func (c *clock) act(server *providertest.Server, event synapse.SplitEventType) {
	server.Edit(splitPath, func(o *providertest.Object) { o.Happen(synapse.SplitEvent{Type: event, By: "ada"}, c.now) })
}

// measured is what an analysis sees of a candidate that is good, or not.
func measured(bad bool) synapse.SplitObservation {
	result := synapse.SplitCheckResult{Check: "SLO login", Candidate: new(0.05), Stable: new(0.1), Max: new(1.0), Percent: true, Requests: 312}
	if bad {
		result.Candidate, result.Failed = new(4.8), true
	}
	return synapse.SplitObservation{Published: true, Measurement: &synapse.SplitMeasurement{Requests: 312, Checks: []synapse.SplitCheckResult{result}}}
}

// refreshed reads a split and plans its configuration in a run of its own, with the shortcuts for what did not change.
func refreshed(t *testing.T, server *providertest.Server, config providertest.Attributes, prior *providertest.Resource) (*providertest.Resource, providertest.Plan) {
	t.Helper()
	h := newHost(t, server, nil)
	read, diagnostics := h.Read(splitType, prior)
	requireNone(t, diagnostics)
	require.NotNil(t, read)
	return read, h.Plan(splitType, config, read)
}

package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
)

func TestBadSplitsAreFoundWithoutAServer(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	set := func(attribute string, value any) func(providertest.Attributes) {
		return func(config providertest.Attributes) { config[attribute] = h.Make(splitType, attribute, value) }
	}
	progression := func(change func(plain)) func(providertest.Attributes) {
		return func(config providertest.Attributes) { config["progression"] = progressing(h, change)["progression"] }
	}
	check := func(check plain) func(providertest.Attributes) {
		return progression(func(p plain) { p["analysis"] = plain{"checks": []any{check}} })
	}
	weights := func(value any) func(providertest.Attributes) {
		return func(config providertest.Attributes) {
			delete(config, "progression")
			config["weights"] = h.Make(splitType, "weights", value)
		}
	}
	window := func(window plain) func(providertest.Attributes) {
		return progression(func(p plain) { p["windows"] = []any{window} })
	}
	const inProgression = `AttributeName("progression").`
	const firstCheck = inProgression + `AttributeName("analysis").AttributeName("checks").ElementKeyInt(0)`
	for name, test := range map[string]struct {
		change   func(providertest.Attributes)
		at, says string
	}{
		"weights that do not sum to 100":         {weights(plain{"monolith": 90, "auth": 5}), `AttributeName("weights")`, "sum to 95"},
		"a negative weight":                      {weights(plain{"monolith": 100, "auth": -1}), `AttributeName("weights").ElementKeyString("auth")`, "-1 is not a percentage"},
		"weights of an unknown backend":          {weights(plain{"monolith": 50, "auht": 50}), `AttributeName("weights").ElementKeyString("auht")`, `the backends are auth, monolith`},
		"weights and a progression":              {set("weights", plain{"monolith": 100}), `AttributeName("weights")`, "not both"},
		"neither weights nor a progression":      {weights(nil), `AttributeName("weights")`, "or a progression"},
		"a pin to an unknown backend":            {set("pins", plain{"acme": "new"}), `AttributeName("pins").ElementKeyString("acme")`, `no backend "new"`},
		"a match that names an unknown backend":  {set("match", []any{plain{"header": "X-Beta", "value": "1", "backend": "new"}}), `AttributeName("match").ElementKeyInt(0).AttributeName("backend")`, `no backend "new"`},
		"a mirror to an unknown backend":         {set("mirror", plain{"backend": "new"}), `AttributeName("mirror").AttributeName("backend")`, `no backend "new"`},
		"a mirror of requests that change":       {set("mirror", plain{"backend": "auth", "methods": []any{"GET", "POST"}}), `AttributeName("mirror").AttributeName("methods").ElementKeyInt(1)`, "must not change anything"},
		"a mirror of nothing":                    {set("mirror", plain{"backend": "auth", "percent": 0}), `AttributeName("mirror").AttributeName("percent")`, "at least 1"},
		"steps that go down":                     {progression(func(p plain) { p["steps"] = []any{plain{"weight": 50}, plain{"weight": 25}, plain{"weight": 100}} }), inProgression + `AttributeName("steps").ElementKeyInt(1).AttributeName("weight")`, "must grow"},
		"steps that do not end with 100":         {progression(func(p plain) { p["steps"] = []any{plain{"weight": 50}} }), inProgression + `AttributeName("steps").ElementKeyInt(0).AttributeName("weight")`, "must be 100"},
		"no steps":                               {progression(func(p plain) { p["steps"] = []any{} }), inProgression + `AttributeName("steps")`, "1 to 50 steps"},
		"a negative hold":                        {progression(func(p plain) { p["steps"] = []any{plain{"weight": 100, "hold": "-1m"}} }), inProgression + `AttributeName("steps").ElementKeyInt(0).AttributeName("hold")`, "out of range"},
		"a hold that is no duration":             {progression(func(p plain) { p["steps"] = []any{plain{"weight": 100, "hold": "soon"}} }), inProgression + `AttributeName("steps").ElementKeyInt(0).AttributeName("hold")`, "duration"},
		"a window that never opens":              {window(plain{"from": "09:00", "to": "09:00"}), inProgression + `AttributeName("windows").ElementKeyInt(0).AttributeName("to")`, "never opens"},
		"a window on a day there is not":         {window(plain{"from": "09:00", "to": "17:00", "days": []any{"mon", "noday"}}), inProgression + `AttributeName("windows").ElementKeyInt(0).AttributeName("days").ElementKeyInt(1)`, "noday"},
		"no checks":                              {progression(func(p plain) { p["analysis"] = plain{"checks": []any{}} }), inProgression + `AttributeName("analysis").AttributeName("checks")`, "without a metric"},
		"a check of nothing":                     {check(plain{}), firstCheck, "either an slo or a query"},
		"a query without a limit":                {check(plain{"query": "up"}), firstCheck + `.AttributeName("max")`, "required with a query"},
		"a limit of all requests":                {check(plain{"slo": "login", "max": 100}), firstCheck + `.AttributeName("max")`, "below 100"},
		"a region in two waves":                  {progression(func(p plain) { p["waves"] = []any{plain{"regions": []any{"eu"}}, plain{"regions": []any{"us", "eu"}}} }), inProgression + `AttributeName("waves").ElementKeyInt(1).AttributeName("regions").ElementKeyInt(1)`, "in two waves"},
		"two stable backends":                    {set("backends", plain{"a": plain{"role": "stable", "url": "http://a"}, "b": plain{"role": "stable", "url": "http://b"}, "c": plain{"role": "candidate", "url": "http://c"}}), `AttributeName("backends")`, "there are 2"},
		"a backend that is two things":           {set("backends", plain{"monolith": plain{"role": "stable", "url": "http://a", "deployment": "a/b"}, "auth": plain{"role": "candidate", "url": "http://c"}}), `AttributeName("backends").ElementKeyString("monolith")`, "either a deployment or a url"},
		"a deployment that is no id":             {set("backends", plain{"monolith": plain{"role": "stable", "url": "http://a"}, "auth": plain{"role": "candidate", "deployment": "v1"}}), `AttributeName("backends").ElementKeyString("auth").AttributeName("deployment")`, "SERVICE/NAME"},
		"a header without a name":                {set("affinity", plain{"key": "header"}), `AttributeName("affinity").AttributeName("name")`, "not the name of a header"},
		"a host with a port":                     {set("route", plain{"host": "example.com:80"}), `AttributeName("route").AttributeName("host")`, "without scheme and port"},
		"a text that is empty instead of absent": {set("affinity", plain{"key": "cookie", "name": ""}), `AttributeName("affinity").AttributeName("name")`, "must not be empty"},
		"a revision with a space":                {progression(revision("v 2")), inProgression + `AttributeName("revision")`, "not a revision"},
	} {
		t.Run(name, func(t *testing.T) {
			config := progressing(h)
			test.change(config)
			d := one(t, h.Validate(splitType, config))
			require.Equal(t, test.at, d.Attribute.String())
			require.Contains(t, d.Detail, test.says)
		})
	}
	require.Empty(t, server.Requests())
}

func TestWhatIsNotKnownOfASplitHidesNoOtherMistake(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	unknown := providertest.Unknown()
	backends := plain{"monolith": plain{"role": "stable", "url": "http://a"}, "auth": plain{"role": "candidate", "deployment": unknown}}
	config := func(change func(providertest.Attributes)) providertest.Attributes {
		config := progressing(h)
		config["backends"] = h.Make(splitType, "backends", backends)
		change(config)
		return config
	}
	whole := func(attribute string) tftypes.Value {
		return tftypes.NewValue(progressing(h)[attribute].Type(), tftypes.UnknownValue)
	}
	requireNone(t, h.Validate(splitType, config(func(providertest.Attributes) {})))
	for _, attribute := range []string{"backends", "progression", "route"} {
		requireNone(t, h.Validate(splitType, config(func(c providertest.Attributes) { c[attribute] = whole(attribute) })))
	}
	requireNone(t, h.Validate(splitType, config(func(c providertest.Attributes) {
		c["progression"] = progressing(h, func(p plain) {
			p["revision"], p["steps"] = unknown, []any{plain{"weight": 5}, plain{"weight": tftypes.NewValue(tftypes.Number, tftypes.UnknownValue)}}
			p["analysis"] = plain{"checks": []any{plain{"slo": unknown}}}
		})["progression"]
	})))
	for name, test := range map[string]struct {
		change func(providertest.Attributes)
		says   string
	}{
		"weights beside a deployment": {func(c providertest.Attributes) {
			delete(c, "progression")
			c["weights"] = h.Make(splitType, "weights", plain{"monolith": 90, "auth": 5})
		}, "sum to 95"},
		"a pin beside a deployment": {func(c providertest.Attributes) { c["pins"] = h.Make(splitType, "pins", plain{"acme": "new"}) }, `no backend "new"`},
		"checks beside a revision": {func(c providertest.Attributes) {
			c["progression"] = progressing(h, func(p plain) {
				p["revision"], p["analysis"] = unknown, plain{"checks": []any{plain{"slo": "login", "max": -1}}}
			})["progression"]
		}, "not a limit"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, one(t, h.Validate(splitType, config(test.change))).Detail, test.says)
		})
	}
}

func TestThePlanOfASplitShowsItsDefaults(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	config := progressing(h, func(p plain) {
		p["analysis"] = plain{"interval": "30s", "checks": []any{plain{"slo": "login"}}}
		p["windows"] = []any{plain{"from": "09:00", "to": "17:00"}}
	})
	config["affinity"] = h.Make(splitType, "affinity", plain{"key": "cookie"})
	config["mirror"] = h.Make(splitType, "mirror", plain{"backend": "auth"})
	config["route"] = h.Make(splitType, "route", plain{"host": "API.example.com", "path_prefix": "/auth"})
	plan := h.Plan(splitType, config, nil)
	requireNone(t, plan.Diagnostics)
	created, diagnostics := h.Apply(t.Context(), splitType, plan, nil)
	requireNone(t, diagnostics)
	for _, attribute := range h.Schema().ResourceSchemas[splitType].Block.Attributes {
		if attribute.Required || attribute.Optional {
			planned := providertest.At(t, plan.Planned, attribute.Name)
			require.True(t, planned.IsFullyKnown(), "%s is known in the plan: %s", attribute.Name, planned)
			require.True(t, planned.Equal(providertest.At(t, created.State, attribute.Name)), "%s is as planned", attribute.Name)
		}
	}
	require.Equal(t, "/", providertest.TextAt(t, created.State, "backends", "auth", "replace_prefix"))
	require.Equal(t, "/auth", providertest.TextAt(t, created.State, "backends", "monolith", "replace_prefix"))
	require.Equal(t, "synapse_cohort", providertest.TextAt(t, created.State, "affinity", "name"))
	require.Equal(t, "API.example.com", providertest.TextAt(t, created.State, "route", "host"), "capitals mean nothing, and stay")
	steps := providertest.Elements(t, created.State, "progression", "steps")
	require.Equal(t, "30s", providertest.TextAt(t, steps[0], "hold"))
	require.Equal(t, "auto", providertest.TextAt(t, steps[0], "gate"))
	require.Len(t, providertest.Elements(t, providertest.Elements(t, created.State, "progression", "windows")[0], "days"), 7)

	read, plan := refreshed(t, server, config, created)
	require.True(t, plan.Planned.Equal(read.State), "and then nothing is left to do")
	imported, diagnostics := newHost(t, server, nil).Import(splitType, "login", nil)
	requireNone(t, diagnostics)
	require.True(t, providertest.At(t, imported.State, "progression").Equal(providertest.At(t, created.State, "progression")))
}

func TestAStepThatMovesUpKeepsItsOwnDefaults(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	steps := func(steps ...any) func(plain) { return func(p plain) { p["steps"] = steps } }
	created := create(t, h, splitType, progressing(h, steps(plain{"weight": 5, "hold": "1h", "gate": "manual"}, plain{"weight": 50}, plain{"weight": 100})))
	plan := h.Plan(splitType, progressing(h, steps(plain{"weight": 50}, plain{"weight": 100})), created)
	requireNone(t, plan.Diagnostics)
	first := providertest.Elements(t, plan.Planned, "progression", "steps")[0]
	require.Equal(t, "1m", providertest.TextAt(t, first, "hold"), "not the hold of the step that was first before")
	require.Equal(t, "auto", providertest.TextAt(t, first, "gate"))
}

func TestOneSpanOfASplitWrittenInTwoWaysIsNoChange(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	interval := func(text string) func(plain) {
		return func(p plain) { p["analysis"] = plain{"interval": text, "checks": []any{plain{"slo": "login"}}} }
	}
	created := create(t, h, splitType, progressing(h, interval("60s")))
	plan := h.Plan(splitType, progressing(h, interval("1m")), created)
	requireNone(t, plan.Diagnostics)
	require.True(t, plan.Planned.Equal(created.State), "%s\n%s", plan.Planned, created.State)
	require.False(t, h.Plan(splitType, progressing(h, interval("61s")), created).Planned.Equal(created.State))
}

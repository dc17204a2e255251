package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
)

func TestDefaultLabels(t *testing.T) {
	t.Parallel()
	type texts = map[string]string
	for name, test := range map[string]struct {
		own, before, after texts // the resource's labels; the provider's defaults when it was created, and now
		drift              func(texts)
		foreign            bool  // whether the drift is a label that nobody here set
		all                texts // what is planned now; nil: nothing to do
	}{
		"stay quiet":                                 {own: texts{"app": "x"}, before: texts{"team": "a"}, after: texts{"team": "a"}},
		"equal to an own label stay quiet":           {own: texts{"team": "a"}, before: texts{"team": "a"}, after: texts{"team": "a"}},
		"overridden stay quiet":                      {own: texts{"team": "b"}, before: texts{"team": "a"}, after: texts{"team": "a"}},
		"alone stay quiet":                           {before: texts{"team": "a"}, after: texts{"team": "a"}},
		"of which there are none stay quiet":         {own: texts{}},
		"that change are applied":                    {own: texts{"app": "x"}, before: texts{"team": "a"}, after: texts{"team": "b"}, all: texts{"app": "x", "team": "b"}},
		"that come are applied":                      {after: texts{"team": "b"}, all: texts{"team": "b"}},
		"that go are removed":                        {own: texts{"app": "x"}, before: texts{"team": "a"}, all: texts{"app": "x"}},
		"that become an own label's value are quiet": {own: texts{"team": "b"}, before: texts{"team": "a"}, after: texts{"team": "b"}},
		"that someone edited are put back": {before: texts{"team": "a"}, after: texts{"team": "a"}, all: texts{"team": "a"},
			drift: func(l texts) { l["team"] = "z" }},
		"that someone removed are put back": {before: texts{"team": "a"}, after: texts{"team": "a"}, all: texts{"team": "a"},
			drift: func(l texts) { delete(l, "team") }},
		"and a label that someone added is removed": {own: texts{"app": "x"}, before: texts{"team": "a"}, after: texts{"team": "a"}, all: texts{"app": "x", "team": "a"},
			drift: func(l texts) { l["odd"] = "1" }, foreign: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := providertest.NewServer(t)
			config := providertest.Attributes{"name": providertest.Text("auth")}
			if test.own != nil {
				config["labels"] = providertest.Texts(test.own)
			}
			created := create(t, newHost(t, server, defaultLabels(test.before)), serviceType, config)
			if test.drift != nil {
				server.Edit("/v1/services/auth", func(o *providertest.Object) { test.drift(o.Labels) })
			}
			h := newHost(t, server, defaultLabels(test.after))
			read, diagnostics := h.Read(serviceType, created)
			requireNone(t, diagnostics)
			ownBefore, ownNow := providertest.At(t, created.State, "labels"), providertest.At(t, read.State, "labels")
			require.Equal(t, test.foreign, !ownBefore.Equal(ownNow), "only what someone else added shows among the own labels: %s", ownNow)
			plan := h.Plan(serviceType, config, read)
			requireNone(t, plan.Diagnostics)
			if test.all == nil {
				require.True(t, plan.Planned.Equal(read.State), "%s\n%s", plan.Planned, read.State)
				return
			}
			require.True(t, providertest.At(t, plan.Planned, "labels_all").Equal(providertest.Texts(test.all)))
			updated, diagnostics := h.Apply(t.Context(), serviceType, plan, read)
			requireNone(t, diagnostics)
			server.Edit("/v1/services/auth", func(o *providertest.Object) { require.Equal(t, test.all, o.Labels) })
			require.True(t, h.Plan(serviceType, config, updated).Planned.Equal(updated.State), "then nothing is left to do")
		})
	}
}

func defaultLabels(labels map[string]string) providertest.Attributes {
	if labels == nil {
		return nil
	}
	return providertest.Attributes{"default_labels": providertest.Texts(labels)}
}

func TestLabelsThatAreNotKnownYetArePlannedAsUnknown(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, defaultLabels(map[string]string{"team": "a"}))
	config := providertest.Attributes{"name": providertest.Text("auth"), "labels": tftypes.NewValue(tftypes.Map{ElementType: tftypes.String},
		map[string]tftypes.Value{"x": providertest.Unknown()})}
	plan := h.Plan(serviceType, config, nil)
	requireNone(t, plan.Diagnostics)
	require.False(t, providertest.At(t, plan.Planned, "labels_all").IsKnown())
}

package provider_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
)

func TestEveryResourceLivesItsLifeWithoutDrift(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	for typeName := range minimal(newHost(t, server, nil)) {
		t.Run(typeName, func(t *testing.T) {
			t.Parallel()
			server := providertest.NewServer(t)
			h := newHost(t, server, nil)
			config := minimal(h)[typeName]

			created := create(t, h, typeName, config)
			require.Equal(t, 1, server.Count())
			require.Equal(t, 1, count(server, "POST dry"), "the plan was checked by the server")
			require.Equal(t, 1, count(server, "POST"))
			require.Equal(t, 0, count(server, "GET"), "a create that is quick needs one round trip")

			h = newHost(t, server, nil)
			read, diagnostics := h.Read(typeName, created)
			requireNone(t, diagnostics)
			require.True(t, created.State.Equal(read.State), "a refresh changes nothing:\n%s\n%s", created.State, read.State)
			again := h.Plan(typeName, config, read)
			requireNone(t, again.Diagnostics)
			require.True(t, again.Planned.Equal(read.State), "the next plan is empty:\n%s\n%s", again.Planned, read.State)

			server.Forget()
			imported, diagnostics := h.Import(typeName, providertest.TextAt(t, created.State, "id"), nil)
			requireNone(t, diagnostics)
			require.True(t, created.State.Equal(imported.State), "an import is as what was created:\n%s\n%s", created.State, imported.State)
			require.Equal(t, 0, count(server, "PUT"))
			byIdentity, diagnostics := h.Import(typeName, "", created.Identity)
			requireNone(t, diagnostics)
			require.True(t, created.State.Equal(byIdentity.State))
		})
	}
}

// TestAnObjectFromBeforeAFieldHasItsDefault has objects that were stored by a control plane of before some fields.
func TestAnObjectFromBeforeAFieldHasItsDefault(t *testing.T) {
	t.Parallel()
	for typeName, forget := range map[string]func(spec map[string]any){
		serviceType: func(spec map[string]any) {
			delete(spec, "tenant")
			delete(spec, "rewrite_responses")
		},
		splitType: func(spec map[string]any) {
			delete(spec["affinity"].(map[string]any), "same_site")
			for _, backend := range spec["backends"].(map[string]any) {
				delete(backend.(map[string]any), "rewrite_responses")
			}
		},
	} {
		t.Run(typeName, func(t *testing.T) {
			t.Parallel()
			server := providertest.NewServer(t)
			h := newHost(t, server, nil)
			config := minimal(h)[typeName]
			if typeName == splitType {
				config["affinity"] = h.Make(splitType, "affinity", plain{"key": "cookie"})
			}
			created := create(t, h, typeName, config)
			path := map[string]string{serviceType: "/v1/services/auth", splitType: splitPath}[typeName]
			server.Edit(path, func(o *providertest.Object) { forget(o.Spec) })

			h = newHost(t, server, nil)
			read, diagnostics := h.Read(typeName, created)
			requireNone(t, diagnostics)
			require.True(t, created.State.Equal(read.State), "%s\n%s", created.State, read.State)
			plan := h.Plan(typeName, config, read)
			requireNone(t, plan.Diagnostics)
			require.True(t, plan.Planned.Equal(read.State), "the next plan is empty")
			imported, diagnostics := h.Import(typeName, providertest.TextAt(t, created.State, "id"), nil)
			requireNone(t, diagnostics)
			require.True(t, created.State.Equal(imported.State))
		})
	}
}

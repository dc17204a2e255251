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

package daemon

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestGatewaysStartWithSplitsWhoseStateFitsTheirSpec(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	backend := object.Backend{Store: s, Broker: object.NewBroker(), Now: time.Now}
	splits := object.NewCollection(backend, object.NewKinds().TrafficSplit)
	machine := reconcile.TrafficSplits{Store: s, Now: time.Now}
	static := func(candidate, weights string) []byte {
		return []byte(`{"name":"login","spec":{"route":{"path_prefix":"/auth"},"backends":{"old":{"role":"stable","url":"http://127.0.0.1:1"},
			"` + candidate + `":{"role":"candidate","url":"http://127.0.0.1:2"}},"weights":{` + weights + `}}}`)
	}
	created, err := splits.Create(t.Context(), static("new", `"old":40,"new":60`), object.CreateOptions{})
	require.NoError(t, err)

	seeded := func() map[string]int {
		t.Helper()
		living, err := livingSplits(t.Context(), backend, machine)
		require.NoError(t, err)
		require.Len(t, living, 1)
		stored, err := splits.Get(t.Context(), created.Key())
		require.NoError(t, err)
		require.True(t, object.SplitSeen(&stored))
		require.Equal(t, stored.Status.State, living[0].State, "the gateways get what is in the store")
		return living[0].State.Weights
	}
	require.Equal(t, map[string]int{"old": 40, "new": 60}, seeded())
	_, err = splits.Update(t.Context(), created.Key(), static("newer", `"old":70,"newer":30`), object.UpdateOptions{IfMatch: "*"})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"old": 70, "newer": 30}, seeded(), "the daemon ended before it saw the change")

	_, _, err = splits.Delete(t.Context(), created.Key(), object.DeleteOptions{})
	require.NoError(t, err)
	living, err := livingSplits(t.Context(), backend, machine)
	require.NoError(t, err)
	require.Empty(t, living)
}

func TestTheConsoleKnowsTokensThatWork(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	find := authenticate(s, func() time.Time { return now })
	secret, err := newInternalToken(t.Context(), s)
	require.NoError(t, err)
	token, ok := find(t.Context(), secret)
	require.True(t, ok)
	require.Equal(t, synapse.RoleViewer, token.Role)
	_, ok = find(t.Context(), "another")
	require.False(t, ok)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, ok = find(ended, secret)
	require.False(t, ok, "who can not be looked up is nobody")
}

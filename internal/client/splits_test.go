package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestActionsOnSplits(t *testing.T) {
	t.Parallel()
	const split = `{"kind":"traffic_split","name":"login","status":{"state":{"phase":"RollingBack"}}}`
	t.Run("say why and answer the split", func(t *testing.T) {
		t.Parallel()
		s, c := start(t, answer(200, split))
		object, err := c.SplitAction(t.Context(), "login", "rollback", synapse.SplitRequest{Reason: "too slow", Revision: "r2"})
		require.NoError(t, err)
		require.Equal(t, synapse.SplitRollingBack, object.Status.State.Phase)
		require.Equal(t, "POST /v1/traffic-splits/login/rollback", s.seen[0].Method+" "+s.seen[0].URL.Path)
		require.JSONEq(t, `{"reason":"too slow","revision":"r2"}`, s.bodies[0])
	})
	for name, test := range map[string]struct {
		action  string
		request synapse.SplitRequest
		sent    int
	}{
		"are repeated when the answer is lost":                         {"rollback", synapse.SplitRequest{}, 2},
		"are not when they could approve another step":                 {"approve", synapse.SplitRequest{Revision: "r2"}, 1},
		"that approve one step and no other are repeated all the same": {"approve", synapse.SplitRequest{Revision: "r2", Step: new(1)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := start(t, cutInTheMiddle, answer(200, split))
			_, err := c.SplitAction(t.Context(), "login", test.action, test.request)
			require.Equal(t, test.sent == 2, err == nil, "%v", err)
			require.Equal(t, test.sent, s.sent())
		})
	}
	t.Run("that are refused say so", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, answer(409, `{"title":"Conflict","status":409,"code":"conflict","detail":"nothing awaits an approval"}`))
		_, err := c.SplitAction(t.Context(), "login", "approve", synapse.SplitRequest{})
		require.True(t, client.HasCode(err, synapse.CodeConflict))
		require.ErrorContains(t, err, "nothing awaits an approval")
	})
}

func TestAnErrorBudgetIsRead(t *testing.T) {
	t.Parallel()
	s, c := start(t, answer(200, `{"slo":"login","objective":99.9,"remaining":-12.5,"source":"gateways"}`))
	budget, err := c.ErrorBudget(t.Context(), "login")
	require.NoError(t, err)
	require.InDelta(t, -12.5, budget.Remaining, 0)
	require.Equal(t, "/v1/slos/login/error-budget", s.seen[0].URL.Path)
	_, missing := start(t, answer(404, `{"title":"Not found","code":"not_found"}`))
	_, err = missing.ErrorBudget(t.Context(), "login")
	require.True(t, client.IsNotFound(err))
}

// sent counts the requests.
func (s *script) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

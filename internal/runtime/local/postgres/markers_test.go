package postgres_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMarkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.primary(t)
	target, err := w.MarkerURL(t.Context())
	require.NoError(t, err)
	conn := connect(t, target)
	exec(t, conn, "INSERT INTO synapse_drill.markers (run, seq) VALUES ('a', 2), ('a', 1), ('b', 7)")
	for _, refused := range []string{
		"DELETE FROM synapse_drill.markers", "UPDATE synapse_drill.markers SET seq = 9", "SELECT name FROM synapse.tenants",
		"CREATE TABLE synapse_drill.more ()", "TRUNCATE synapse_drill.markers",
	} {
		_, err := conn.Exec(t.Context(), refused)
		require.ErrorContains(t, err, "permission denied", refused)
	}
	require.NoError(t, w.ForgetMarkers(t.Context(), "b"))
	for run, want := range map[string][]int64{"a": {1, 2}, "b": {}} {
		found, err := w.Markers(t.Context(), run)
		require.NoError(t, err)
		require.Equal(t, want, slices.Clip(found))
	}
}

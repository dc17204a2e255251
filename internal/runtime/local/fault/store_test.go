package fault

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

func TestStore(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) Store {
		store, err := Open(filepath.Join(t.TempDir(), "faults"))
		require.NoError(t, err)
		return store
	}
	one := runtime.Fault{ID: "one", Kind: runtime.FaultLoss, Region: "eu", Until: time.Unix(1e9, 0).UTC(), Token: 3}
	t.Run("faults are kept until they are removed", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		require.NoError(t, store.Save(one))
		two := one
		two.ID = "two"
		require.NoError(t, store.Save(two))
		all, err := store.All()
		require.NoError(t, err)
		require.Equal(t, []runtime.Fault{one, two}, all)
		require.NoError(t, store.Remove("two"))
		require.NoError(t, store.Remove("two"), "a second time")
		_, known, err := store.Get("two")
		require.NoError(t, err)
		require.False(t, known)
	})
	t.Run("one that is damaged does not hide the others", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		require.NoError(t, store.Save(one))
		require.NoError(t, os.WriteFile(store.path("damaged", recordSuffix), []byte("{"), 0o600))
		all, err := store.All()
		require.ErrorContains(t, err, "reading fault damaged")
		require.Equal(t, []runtime.Fault{one}, all)
	})
	t.Run("a token that is older than the newest one seen is refused, also after a restart", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		for _, token := range []int64{0, 5, 5, 7} {
			require.NoError(t, store.SeeToken("drill", token))
		}
		require.ErrorContains(t, Store(string(store)).SeeToken("drill", 6), "a newer lease exists, with token 7")
		require.NoError(t, store.Clear())
		require.Error(t, store.SeeToken("drill", 6), "what was fenced off stays so")
		require.NoError(t, store.SeeToken("other", 1), "another fault has leases of its own")
	})
	t.Run("only the owner may read a plan, and clearing leaves none", func(t *testing.T) {
		t.Parallel()
		store := open(t)
		plan := Plan{Until: time.Unix(1e9, 0).UTC(), Processes: []process.Spec{{
			ID: "a", Path: "/a", Env: []string{"SECRET=s"}, User: &process.User{UID: 1, GID: 2}, StopSignal: 15, Labels: map[string]string{"region": "eu"},
		}}}
		require.NoError(t, store.SavePlan("one", plan))
		info, err := os.Stat(store.path("one", planSuffix))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
		dir, err := os.Stat(string(store))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), dir.Mode().Perm())
		got, known, err := store.Plan("one")
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, plan, got)
		require.NoError(t, store.Save(one))
		require.NoError(t, store.Clear())
		entries, err := os.ReadDir(string(store))
		require.NoError(t, err)
		require.Empty(t, entries)
	})
	for _, id := range []string{"", "../one", ".hidden", "a/b", "with space"} {
		t.Run("the ID "+id+" is refused", func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, CheckID(id), "fault ID")
		})
	}
}

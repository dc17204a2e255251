package storetest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func (s suite) testAnswers(t *testing.T) {
	ctx := t.Context()
	answer := func(key string, at time.Time) store.Answer {
		return store.Answer{Key: key, RequestHash: "hash of " + key, Object: deployment("auth", key).Key(), UID: "uid", CreatedAt: at.UTC()}
	}
	save := func(st store.Store, a store.Answer) error {
		return st.Write(ctx, func(tx store.Tx) error { return tx.SaveAnswer(ctx, a) })
	}

	t.Run("an answer is read as it was saved", func(t *testing.T) {
		st := s.open(t)
		want := answer("key", moment())
		require.NoError(t, save(st, want))
		got, err := st.Answer(ctx, "key")
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
			got, err := tx.Answer(ctx, "key")
			require.Equal(t, want, got)
			return err
		}))
	})

	t.Run("an unknown key is not found", func(t *testing.T) {
		st := s.open(t)
		for _, key := range []string{"key", "", "\x00", "\xff"} {
			_, err := st.Answer(ctx, key)
			require.ErrorIs(t, err, store.ErrNotFound)
		}
	})

	t.Run("the first answer stays", func(t *testing.T) {
		st := s.open(t)
		first := answer("key", moment())
		require.NoError(t, save(st, first))
		second := first
		second.RequestHash, second.UID = "another", "another"
		require.ErrorIs(t, save(st, second), store.ErrExists)
		got, err := st.Answer(ctx, "key")
		require.NoError(t, err)
		require.Equal(t, first, got)
	})

	t.Run("answers older than a time are pruned", func(t *testing.T) {
		st := s.open(t)
		// The zone and the nanoseconds decide: as text in their own zones these would sort the other way.
		require.NoError(t, save(st, answer("old", moment().Add(-time.Nanosecond).In(time.FixedZone("east", 7200)))))
		require.NoError(t, save(st, answer("new", moment().In(time.FixedZone("west", -7200)))))
		require.NoError(t, st.Prune(ctx, moment()))
		_, err := st.Answer(ctx, "old")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = st.Answer(ctx, "new")
		require.NoError(t, err)
	})
}

func (s suite) testAudit(t *testing.T) {
	ctx := t.Context()

	t.Run("entries are read as they were written, the newest first", func(t *testing.T) {
		st := s.open(t)
		var want []store.AuditEntry
		for i := range 12 {
			e := store.AuditEntry{
				Time: moment().UTC(), RequestID: fmt.Sprint("request ", i), Actor: "admin", Action: "create",
				Object: "/v1/tenants/acme", UID: "uid", Generation: int64(i), Change: json.RawMessage(`{ "tier":"free"}`),
			}
			if i%2 == 0 {
				e.Change = nil
			}
			want = append([]store.AuditEntry{e}, want...)
			require.NoError(t, st.Write(ctx, func(tx store.Tx) error { return tx.Audit(ctx, e) }))
		}
		for limit, n := range map[int]int{100: 12, 5: 5, 0: 0, -1: 0} {
			got, err := st.AuditEntries(ctx, limit)
			require.NoError(t, err)
			require.Len(t, got, n)
			if n > 0 {
				require.Equal(t, want[:n], got)
			}
		}
	})

	t.Run("the entry of a failed write is not kept", func(t *testing.T) {
		st := s.open(t)
		require.Error(t, st.Write(ctx, func(tx store.Tx) error {
			require.NoError(t, tx.Audit(ctx, store.AuditEntry{Action: "create"}))
			return fmt.Errorf("changed my mind")
		}))
		got, err := st.AuditEntries(ctx, 10)
		require.NoError(t, err)
		require.Empty(t, got)
	})

	t.Run("hostile text does not keep a write from being recorded", func(t *testing.T) {
		st := s.open(t)
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error { return tx.Audit(ctx, store.AuditEntry{RequestID: "a\x00\xff'b"}) }))
		got, err := st.AuditEntries(ctx, 1)
		require.NoError(t, err)
		require.Equal(t, "a\uFFFD\uFFFD'b", got[0].RequestID)
	})
}

func (s suite) testTokens(t *testing.T) {
	ctx := t.Context()
	forever := synapse.Token{Name: "forever", Role: synapse.RoleAdmin, CreatedAt: moment().UTC()}
	brief := synapse.Token{Name: "brief", Role: synapse.RoleViewer, CreatedAt: moment().UTC(), ExpiresAt: new(moment().UTC().Add(time.Hour))}

	t.Run("a token is found by its hash and listed by name", func(t *testing.T) {
		st := s.open(t)
		require.NoError(t, st.InsertToken(ctx, forever, "hash1"))
		require.NoError(t, st.InsertToken(ctx, brief, "hash2"))
		got, err := st.TokenByHash(ctx, "hash2")
		require.NoError(t, err)
		require.Equal(t, brief, got)
		all, err := st.ListTokens(ctx)
		require.NoError(t, err)
		require.Equal(t, []synapse.Token{brief, forever}, all)
	})

	t.Run("an unknown hash is not found", func(t *testing.T) {
		st := s.open(t)
		require.NoError(t, st.InsertToken(ctx, forever, "hash"))
		for _, hash := range []string{"", "HASH", "forever", "\x00", "\xff"} {
			_, err := st.TokenByHash(ctx, hash)
			require.ErrorIs(t, err, store.ErrNotFound)
		}
	})

	t.Run("a name that is taken is refused", func(t *testing.T) {
		st := s.open(t)
		require.NoError(t, st.InsertToken(ctx, forever, "hash1"))
		other := brief
		other.Name = forever.Name
		require.ErrorIs(t, st.InsertToken(ctx, other, "hash2"), store.ErrExists)
		_, err := st.TokenByHash(ctx, "hash2")
		require.ErrorIs(t, err, store.ErrNotFound)
	})

	t.Run("two tokens of one secret are refused, and the error does not tell the hash", func(t *testing.T) {
		st := s.open(t)
		require.NoError(t, st.InsertToken(ctx, forever, "hash1"))
		err := st.InsertToken(ctx, brief, "hash1")
		require.ErrorIs(t, err, store.ErrExists)
		require.NotContains(t, err.Error(), "hash1")
	})

	t.Run("a deleted token is gone", func(t *testing.T) {
		st := s.open(t)
		require.NoError(t, st.InsertToken(ctx, forever, "hash1"))
		require.NoError(t, st.InsertToken(ctx, brief, "hash2"))
		require.NoError(t, st.DeleteToken(ctx, forever.Name))
		_, err := st.TokenByHash(ctx, "hash1")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = st.TokenByHash(ctx, "hash2")
		require.NoError(t, err)
		for _, name := range []string{forever.Name, "\x00"} {
			require.ErrorIs(t, st.DeleteToken(ctx, name), store.ErrNotFound)
		}
	})
}

func tokenOf(name string) synapse.Token {
	return synapse.Token{Name: name, Role: synapse.RoleAdmin, CreatedAt: moment()}
}

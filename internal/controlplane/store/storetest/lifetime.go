package storetest

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
)

func (s suite) testLifetime(t *testing.T) {
	ctx := t.Context()

	t.Run("what was written is there after the store is opened again", func(t *testing.T) {
		dsn := s.newDatabase(t)
		first, err := store.Open(ctx, dsn, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		want := insert(t, first, tenant("acme"))[0]
		require.NoError(t, first.Write(ctx, func(tx store.Tx) error {
			if err := tx.SaveAnswer(ctx, store.Answer{Key: "key"}); err != nil {
				return err
			}
			return tx.Audit(ctx, store.AuditEntry{Action: "create"})
		}))
		require.NoError(t, first.InsertToken(ctx, tokenOf("admin"), "hash"))
		require.NoError(t, first.Close())

		second := Open(t, dsn)
		got, err := second.Get(ctx, want.Key())
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = second.Answer(ctx, "key")
		require.NoError(t, err)
		_, err = second.TokenByHash(ctx, "hash")
		require.NoError(t, err)
		entries, err := second.AuditEntries(ctx, 10)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.Greater(t, update(t, second, got).ResourceVersion, want.ResourceVersion, "versions go on growing")
	})

	t.Run("replicas that start together find one schema", func(t *testing.T) {
		dsn := s.newDatabase(t)
		var all sync.WaitGroup
		errs := make(chan error, 4)
		for range cap(errs) {
			all.Go(func() {
				st, err := store.Open(ctx, dsn, slog.New(slog.DiscardHandler))
				if err == nil {
					err = st.Close()
				}
				errs <- err
			})
		}
		all.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
	})

	t.Run("a closed store refuses everything, and can be closed again", func(t *testing.T) {
		st, err := store.Open(ctx, s.newDatabase(t), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		require.NoError(t, st.Ping(ctx))
		require.NoError(t, st.Close())
		require.ErrorIs(t, st.Write(ctx, func(store.Tx) error { panic("it ran") }), store.ErrClosed)
		require.Error(t, st.Ping(ctx))
		_, err = st.Get(ctx, tenantKey("acme"))
		require.Error(t, err)
		require.NotErrorIs(t, err, store.ErrNotFound)
		require.NoError(t, st.Close())
	})

	t.Run("closing lets the running write finish", func(t *testing.T) {
		dsn := s.newDatabase(t)
		st, err := store.Open(ctx, dsn, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		var closing sync.WaitGroup
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
			closing.Go(func() {
				if err := st.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			_, err := tx.Insert(ctx, tenant("last"))
			return err
		}))
		closing.Wait()
		_, err = Open(t, dsn).Get(ctx, tenantKey("last"))
		require.NoError(t, err)
	})
}

package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func (s suite) testWrites(t *testing.T) {
	ctx := t.Context()
	sentinel := errors.New("changed my mind")
	absent := func(t *testing.T, st store.Store, name string) {
		_, err := st.Get(ctx, tenantKey(name))
		require.ErrorIs(t, err, store.ErrNotFound)
	}

	t.Run("a function that fails leaves nothing behind, and its error is returned as it is", func(t *testing.T) {
		st := s.open(t)
		insert(t, st, tenant("kept"))
		err := st.Write(ctx, func(tx store.Tx) error {
			_, err := tx.Insert(ctx, tenant("gone"))
			require.NoError(t, err)
			require.NoError(t, tx.Delete(ctx, tenantKey("kept")))
			require.NoError(t, tx.SaveAnswer(ctx, store.Answer{Key: "key"}))
			return sentinel
		})
		require.Equal(t, sentinel, err)
		absent(t, st, "gone")
		_, err = st.Get(ctx, tenantKey("kept"))
		require.NoError(t, err)
		_, err = st.Answer(ctx, "key")
		require.ErrorIs(t, err, store.ErrNotFound)
	})

	t.Run("a transaction sees what it has written, and others only after the commit", func(t *testing.T) {
		st := s.open(t)
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
			inserted, err := tx.Insert(ctx, tenant("a"))
			require.NoError(t, err)
			read, err := tx.Get(ctx, tenantKey("a"))
			require.NoError(t, err)
			require.Equal(t, inserted, read)
			absent(t, st, "a")
			return nil
		}))
		_, err := st.Get(ctx, tenantKey("a"))
		require.NoError(t, err)
	})

	t.Run("a panic reaches the caller, undoes its write, and the next write works", func(t *testing.T) {
		st := s.open(t)
		require.PanicsWithValue(t, "boom", func() {
			_ = st.Write(ctx, func(tx store.Tx) error {
				_, err := tx.Insert(ctx, tenant("gone"))
				require.NoError(t, err)
				panic("boom")
			})
		})
		insert(t, st, tenant("next"))
		absent(t, st, "gone")
	})

	t.Run("a goroutine that ends inside of its function undoes its write, and the next write works", func(t *testing.T) {
		st := s.open(t)
		var ended sync.WaitGroup
		ended.Go(func() {
			_ = st.Write(ctx, func(tx store.Tx) error {
				_, _ = tx.Insert(ctx, tenant("gone"))
				runtime.Goexit() // as t.FailNow does
				return nil
			})
		})
		ended.Wait()
		insert(t, st, tenant("next"))
		absent(t, st, "gone")
	})

	t.Run("a caller that is cancelled before its turn is released at once and never runs", func(t *testing.T) {
		st := s.open(t)
		running, release := make(chan struct{}), make(chan struct{})
		var first sync.WaitGroup
		first.Go(func() {
			_ = st.Write(ctx, func(tx store.Tx) error { close(running); <-release; return nil })
		})
		<-running
		waiting, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		err := st.Write(waiting, func(tx store.Tx) error { panic("it ran") })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		close(release)
		first.Wait()
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, st.Write(cancelled, func(tx store.Tx) error { panic("it ran") }), context.Canceled)
	})

	t.Run("a write that runs is finished though its caller is cancelled", func(t *testing.T) {
		st := s.open(t)
		cancelled, cancel := context.WithCancel(ctx)
		require.NoError(t, st.Write(cancelled, func(tx store.Tx) error {
			cancel()
			if _, err := tx.Insert(cancelled, tenant("a")); err != nil {
				return err
			}
			if _, _, err := tx.List(cancelled, store.Query{Kind: synapse.KindTenant}); err != nil {
				return err
			}
			return tx.Audit(cancelled, store.AuditEntry{Action: "create"})
		}))
		_, err := st.Get(ctx, tenantKey("a"))
		require.NoError(t, err)
	})

	t.Run("a transaction cannot be used after its function has returned", func(t *testing.T) {
		st := s.open(t)
		var leaked store.Tx
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error { leaked = tx; return nil }))
		_, err := leaked.Insert(ctx, tenant("late"))
		require.Error(t, err)
		_, err = leaked.Get(ctx, tenantKey("late"))
		require.Error(t, err)
		_, _, err = leaked.List(ctx, store.Query{Kind: synapse.KindTenant})
		require.Error(t, err)
		require.Error(t, leaked.Delete(ctx, tenantKey("late")))
		absent(t, st, "late")
	})
}

package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func (s suite) testConcurrency(t *testing.T) {
	ctx := t.Context()

	t.Run("writers that wait share a commit, and each sees those before it", func(t *testing.T) {
		st := s.open(t)
		round := 0
		// Whether the others wait already when the first is done is up to the scheduler: once in many rounds they do.
		require.Eventually(t, func() bool {
			round++
			return s.sharedCommit(t, st, round)
		}, 30*time.Second, time.Millisecond)
	})

	t.Run("what a write has read does not change before it commits", func(t *testing.T) {
		dsn := s.newDatabase(t)
		one, two := Open(t, dsn), Open(t, dsn)
		readTwice(t, one, one)
		readTwice(t, one, two)
	})

	for name, replicas := range map[string]int{"one daemon": 1, "two daemons": 2} {
		t.Run("read-modify-writes of "+name+" lose no update", func(t *testing.T) {
			dsn := s.newDatabase(t)
			var stores []store.Store
			for range replicas {
				stores = append(stores, Open(t, dsn))
			}
			s.countTogether(t, stores)
		})
	}

	t.Run("the failure of one does not touch the others", func(t *testing.T) {
		st := s.open(t)
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				name := fmt.Sprintf("t%d", i)
				defer func() { _ = recover() }()
				_ = st.Write(ctx, func(tx store.Tx) error {
					if _, err := tx.Insert(ctx, tenant(name)); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return errors.New("changed my mind")
					case 2:
						panic("boom")
					}
					return nil
				})
			})
		}
		all.Wait()
		for i := range 64 {
			_, err := st.Get(ctx, tenantKey(fmt.Sprintf("t%d", i)))
			if i%4 == 1 || i%4 == 2 {
				require.ErrorIs(t, err, store.ErrNotFound, "t%d", i)
			} else {
				require.NoError(t, err, "t%d", i)
			}
		}
	})

	t.Run("of many inserts of one key exactly one succeeds", func(t *testing.T) {
		st := s.open(t)
		var inserted, refused atomic.Int32
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				err := st.Write(ctx, func(tx store.Tx) error { _, err := tx.Insert(ctx, tenant("acme")); return err })
				switch {
				case err == nil:
					inserted.Add(1)
				case errors.Is(err, store.ErrExists):
					refused.Add(1)
				}
			})
		}
		all.Wait()
		require.Equal(t, int32(1), inserted.Load())
		require.Equal(t, int32(31), refused.Load())
	})

	t.Run("reads go on beside writes and see whole transactions", func(t *testing.T) {
		st := s.open(t)
		pair := func(tx store.Tx, n int) error {
			for _, name := range []string{"left", "right"} {
				r := tenant(name)
				r.Spec = json.RawMessage(fmt.Sprint(n))
				if _, err := tx.Update(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}
		insert(t, st, tenant("left"), tenant("right"))
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error { return pair(tx, 0) }))
		stop, done := context.WithCancel(ctx)
		var readers sync.WaitGroup
		var torn atomic.Int32
		for range 4 {
			readers.Go(func() {
				for stop.Err() == nil {
					page, _, err := st.List(ctx, store.Query{Kind: synapse.KindTenant, Limit: 2})
					if err != nil || len(page) != 2 || string(page[0].Spec) != string(page[1].Spec) {
						torn.Add(1)
					}
				}
			})
		}
		for n := range 100 {
			require.NoError(t, st.Write(ctx, func(tx store.Tx) error { return pair(tx, n+1) }))
		}
		done()
		readers.Wait()
		require.Zero(t, torn.Load())
	})
}

// sharedCommit reports whether a write saw another one that was not committed yet.
func (s suite) sharedCommit(t *testing.T, st store.Store, round int) bool {
	ctx := t.Context()
	first := fmt.Sprintf("first%d", round)
	var shared atomic.Bool
	var others sync.WaitGroup
	require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
		for range 8 {
			others.Go(func() {
				_ = st.Write(ctx, func(tx store.Tx) error {
					if _, err := tx.Get(ctx, tenantKey(first)); err != nil {
						t.Errorf("a later write does not see an earlier one: %v", err)
					}
					if _, err := st.Get(ctx, tenantKey(first)); errors.Is(err, store.ErrNotFound) {
						shared.Store(true)
					}
					return nil
				})
			})
		}
		_, err := tx.Insert(ctx, tenant(first))
		return err
	}))
	others.Wait()
	return shared.Load()
}

// countTogether lets many writers read a number and write the next one, on all stores.
func (s suite) countTogether(t *testing.T, stores []store.Store) {
	ctx := t.Context()
	const writers, rounds = 16, 15
	counter := tenant("counter")
	counter.Spec = json.RawMessage("0")
	insert(t, stores[0], counter)
	var mu sync.Mutex
	versions := make(map[int64]bool)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for round := range rounds {
				var before, written store.Record
				err := stores[(w+round)%len(stores)].Write(ctx, func(tx store.Tx) (err error) {
					if before, err = tx.Get(ctx, counter.Key()); err != nil {
						return err
					}
					var n int
					if err := json.Unmarshal(before.Spec, &n); err != nil {
						return err
					}
					next := before
					next.Spec = json.RawMessage(fmt.Sprint(n + 1))
					written, err = tx.Update(ctx, next)
					return err
				})
				mu.Lock()
				if err != nil || versions[written.ResourceVersion] || written.ResourceVersion <= before.ResourceVersion {
					t.Errorf("write %d of %d: %v, version %d after %d", round, w, err, written.ResourceVersion, before.ResourceVersion)
				}
				versions[written.ResourceVersion] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	read, err := stores[0].Get(ctx, counter.Key())
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(writers*rounds), string(read.Spec))
}

// readTwice reads an object twice in a write to one store while a write to the other wants to change it.
func readTwice(t *testing.T, one, other store.Store) {
	ctx := t.Context()
	r := tenant("read-twice")
	changed := make(chan error, 1)
	require.NoError(t, one.Write(ctx, func(tx store.Tx) error {
		if err := tx.Delete(ctx, r.Key()); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		_, err := tx.Insert(ctx, r)
		return err
	}))
	require.NoError(t, one.Write(ctx, func(tx store.Tx) error {
		first, err := tx.Get(ctx, r.Key())
		require.NoError(t, err)
		go func() {
			changed <- other.Write(ctx, func(tx store.Tx) error {
				_, err := tx.Update(ctx, r)
				return err
			})
		}()
		select {
		case err := <-changed:
			t.Errorf("two writes ran at the same time, and the other ended with %v", err)
			changed <- nil
		case <-time.After(200 * time.Millisecond): // as long as it could have taken, had it not been made to wait
		}
		second, err := tx.Get(ctx, r.Key())
		require.Equal(t, first, second)
		return err
	}))
	require.NoError(t, <-changed)
}

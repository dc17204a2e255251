package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// deadlyStore kills its process at a point.
type deadlyStore struct {
	store.Store
	point point
	seen  *os.File

	mu sync.Mutex
	// state is that of the run as it was stored last, empty while there is none.
	state  synapse.DrillPhase
	exists bool
	writes int
}

// sight is a write as the killed daemon wrote it down: what is stored, and in which phase the run stays if it is killed here.
type sight struct {
	Write  int
	After  bool
	Stored []string
	State  synapse.DrillPhase
	Killed bool
}

// Write implements [store.Store]. What happens right before a write happens in its transaction, which is then never committed.
func (s *deadlyStore) Write(ctx context.Context, fn func(tx store.Tx) error) error {
	var watched *deadlyTx
	number := 0
	err := s.Store.Write(ctx, func(tx store.Tx) error {
		watched = &deadlyTx{Tx: tx, store: s}
		if err := fn(watched); err != nil || len(watched.stored) == 0 {
			return err
		}
		if number == 0 { // a transaction that is tried again is the same write
			number = s.next()
		}
		s.pass(sight{Write: number, Stored: watched.stored, State: s.stored()})
		return nil
	})
	if err == nil && len(watched.stored) > 0 {
		s.pass(sight{Write: number, After: true, Stored: watched.stored, State: s.keep(watched)})
	}
	return err
}

func (s *deadlyStore) next() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	return s.writes
}

func (s *deadlyStore) stored() synapse.DrillPhase {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// keep notes in which phase the run was stored.
func (s *deadlyStore) keep(tx *deadlyTx) synapse.DrillPhase {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tx.run != nil {
		s.state, s.exists = tx.run.State, true
	}
	return s.state
}

// underWay reports whether the run is there, and has not ended.
func (s *deadlyStore) underWay() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exists && s.state != synapse.DrillEnded
}

// pass writes down what is passed, or ends the process.
func (s *deadlyStore) pass(what sight) {
	what.Killed = s.point.is(what.After, what.Write, what.Stored)
	line, err := json.Marshal(what)
	if err == nil {
		_, err = s.seen.Write(append(line, '\n'))
	}
	if err != nil {
		panic(fmt.Sprint("what was seen could not be written down: ", err))
	}
	if what.Killed {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may take a moment
	}
}

// deadlyTx watches what is written of the run and of policies.
type deadlyTx struct {
	store.Tx
	store  *deadlyStore
	stored []string
	run    *synapse.DrillRunStatus
}

// Insert implements [store.Tx].
func (t *deadlyTx) Insert(ctx context.Context, r store.Record) (store.Record, error) {
	if err := t.watch(store.Record{}, r); err != nil {
		return store.Record{}, err
	}
	return t.Tx.Insert(ctx, r)
}

// Update implements [store.Tx].
func (t *deadlyTx) Update(ctx context.Context, r store.Record) (store.Record, error) {
	old, err := t.Get(ctx, r.Key())
	if err != nil {
		return store.Record{}, err
	}
	if err := t.watch(old, r); err != nil {
		return store.Record{}, err
	}
	return t.Tx.Update(ctx, r)
}

func (t *deadlyTx) watch(old, r store.Record) error {
	switch {
	case r.Kind == synapse.KindDrillRun && r.Name == t.store.point.Run:
		var was, is synapse.DrillRunStatus
		if err := decode(old.Status, &was); err != nil {
			return err
		}
		if err := decode(r.Status, &is); err != nil {
			return err
		}
		if was.State == synapse.DrillEnded {
			return nil
		}
		t.store.keep(&deadlyTx{run: &was}) // a daemon that was restarted meets a run that is there
		t.run, t.stored = &is, append(t.stored, runEvents(&was, &is)...)
	case r.Kind == synapse.KindFailoverPolicy && t.store.underWay():
		var was, is synapse.FailoverPolicyStatus
		if err := decode(old.Status, &was); err != nil {
			return err
		}
		if err := decode(r.Status, &is); err != nil {
			return err
		}
		t.stored = append(t.stored, policyEvents(&was, &is)...)
	}
	return nil
}

func decode(content json.RawMessage, into any) error {
	if len(content) == 0 {
		return nil
	}
	return json.Unmarshal(content, into)
}

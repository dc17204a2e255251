package postgres

import (
	"context"
	"errors"
	"sync"
)

// errRolesChange ends the context of what stands in the way of a change of roles.
var errRolesChange = errors.New("the roles of the databases are being changed")

// turns lets the care of single servers go on side by side, and a change of roles happen alone and at once: a failover
// must not wait for a copy of a database to end. The zero value is ready.
type turns struct {
	roles sync.RWMutex

	mu      sync.Mutex
	waiting int // for a turn alone
	next    int
	cancels map[int]context.CancelCauseFunc
}

// shared begins a turn beside others. Its context ends when somebody wants a turn alone: what is done in it must be safe
// to be broken off at any point, as it is by the end of the daemon.
func (t *turns) shared(ctx context.Context) (_ context.Context, end func()) {
	t.roles.RLock()
	ctx, cancel := context.WithCancelCause(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting > 0 {
		cancel(errRolesChange)
	}
	if t.cancels == nil {
		t.cancels = map[int]context.CancelCauseFunc{}
	}
	t.next++
	ticket := t.next
	t.cancels[ticket] = cancel
	return ctx, func() {
		cancel(nil)
		t.mu.Lock()
		delete(t.cancels, ticket)
		t.mu.Unlock()
		t.roles.RUnlock()
	}
}

// alone begins a turn with nobody else, and breaks off the turns of others for it.
func (t *turns) alone() (end func()) {
	t.mu.Lock()
	t.waiting++
	for _, cancel := range t.cancels {
		cancel(errRolesChange)
	}
	t.mu.Unlock()
	t.roles.Lock()
	t.mu.Lock()
	t.waiting--
	t.mu.Unlock()
	return t.roles.Unlock
}

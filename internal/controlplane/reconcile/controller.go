// Package reconcile makes objects true. One loop serves all kinds: it is level-triggered, so what it does depends on the
// spec and on the world and not on how either came about, and a crash at any point costs nothing but time. A kind adds
// a function that compares, takes one idempotent step and says what it saw.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/util/workqueue"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Result says what follows from a reconciliation that did not fail.
type Result struct {
	// Gone says that nothing of a deleted object is left: its record can go too.
	Gone bool
	// After asks for another look after a while; 0 means when something changes.
	After time.Duration
}

// Func compares an object with the world, takes one step, and writes what it saw to the object's status. A
// [runtime.PendingError] or [runtime.PermanentError] becomes the status by itself.
type Func[S, T any] func(ctx context.Context, obj *synapse.Object[S, T]) (Result, error)

const (
	// resync is the longest time that passes before an object is looked at again, should a change of the world have
	// gone unnoticed.
	resync = 5 * time.Minute
	// pendingAfter is the pause before another look at an object that waits for something, unless it says.
	pendingAfter = time.Second
	// soon is the pause before another look that is needed in any case.
	soon = time.Millisecond
	// The pauses after errors double from the one to the other.
	retryFirst, retryLast = 100 * time.Millisecond, 30 * time.Second
)

// Controller runs the loops of all kinds.
type Controller struct {
	backend object.Backend
	log     *slog.Logger
	kinds   map[synapse.Kind]*kind
}

type queue = workqueue.TypedRateLimitingInterface[synapse.Key]

type kind struct {
	queue     queue
	workers   int
	reconcile func(ctx context.Context, record store.Record) (Result, error)
}

// New returns a controller without kinds.
func New(backend object.Backend, log *slog.Logger) *Controller {
	return &Controller{backend: backend, log: log, kinds: map[synapse.Kind]*kind{}}
}

// Add registers a kind with the number of its objects to work on at once. It is called before Run.
func Add[S, T any, PT object.StatusPointer[T]](c *Controller, k synapse.Kind, workers int, reconcile Func[S, T]) {
	add[S, T, PT](c, k, workers, reconcile, func(ctx context.Context, obj *synapse.Object[S, T]) error {
		_, err := object.WriteStatus(ctx, c.backend, obj.Key(), obj.UID, func(status *T) { *status = obj.Status })
		return err
	})
}

// AddStateMachine is [Add] for a kind whose status is the memory of a state machine, which others write too. A status that
// was worked out from an object that has changed meanwhile is dropped, and the object is looked at again.
func AddStateMachine[S, T any, PT object.StatusPointer[T]](c *Controller, k synapse.Kind, workers int, reconcile Func[S, T]) {
	add[S, T, PT](c, k, workers, reconcile, func(ctx context.Context, obj *synapse.Object[S, T]) error {
		return object.ReplaceStatus(ctx, c.backend, obj.Meta, obj.Status)
	})
}

func add[S, T any, PT object.StatusPointer[T]](c *Controller, k synapse.Kind, workers int, reconcile Func[S, T], write func(context.Context, *synapse.Object[S, T]) error) {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[synapse.Key](retryFirst, retryLast)
	c.kinds[k] = &kind{
		queue:   workqueue.NewTypedRateLimitingQueue(limiter),
		workers: workers,
		reconcile: func(ctx context.Context, record store.Record) (Result, error) {
			obj, err := object.Decode[S, T](record)
			if err != nil {
				return Result{}, err
			}
			result, err := reconcile(ctx, &obj)
			if ctx.Err() != nil {
				return Result{}, ctx.Err()
			}
			if err == nil && result.Gone {
				return result, object.Remove(ctx, c.backend, record.Key(), record.UID)
			}
			again := reflectError(PT(&obj.Status).Common(), obj.Meta, err, c.backend.Now())
			switch writeError := write(ctx, &obj); {
			case errors.Is(writeError, object.ErrChanged):
				return Result{After: soon}, nil
			case writeError != nil:
				return Result{}, writeError
			}
			if again != nil {
				return Result{}, again
			}
			if pending, ok := errors.AsType[*runtime.PendingError](err); ok {
				result.After = pendingAfter
				if pending.After > 0 {
					result.After = pending.After
				}
			}
			return result, nil
		},
	}
}

// reflectError turns the error of a reconciliation into the object's status. It returns the error again when trying
// soon may help.
func reflectError(status *synapse.Status, meta synapse.Meta, err error, now time.Time) error {
	if err == nil {
		return nil
	}
	wasReady := status.ObservedGeneration == meta.Generation && (status.Phase == synapse.PhaseReady || status.Phase == synapse.PhaseDegraded)
	phase := synapse.PhaseProgressing
	switch {
	case meta.Deleting():
		phase = synapse.PhaseDeleting
	case wasReady:
		phase = synapse.PhaseDegraded
	}
	if pending, ok := errors.AsType[*runtime.PendingError](err); ok {
		status.Set(meta.Generation, phase, pending.Reason, pending.Message, now)
		return nil
	}
	if permanent, ok := errors.AsType[*runtime.PermanentError](err); ok {
		if !meta.Deleting() {
			phase = synapse.PhaseFailed
		}
		status.Set(meta.Generation, phase, permanent.Reason, permanent.Message, now)
		return nil
	}
	status.Set(meta.Generation, phase, "Retrying", err.Error(), now)
	return err
}

// Enqueue asks for a look at an object.
func (c *Controller) Enqueue(key synapse.Key) {
	if k, known := c.kinds[key.Kind]; known {
		k.queue.Add(key)
	}
}

// EnqueueAll asks for a look at all objects of a kind.
func (c *Controller) EnqueueAll(ctx context.Context, k synapse.Kind) error {
	query := store.Query{Kind: k, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for {
		records, next, err := c.backend.Store.List(ctx, query)
		if err != nil {
			return fmt.Errorf("listing objects of kind %s: %w", k, err)
		}
		for _, r := range records {
			c.Enqueue(r.Key())
		}
		if next == "" {
			return nil
		}
		query.Cursor = next
	}
}

// Run works until ctx ends. It looks at every object once, and then at those that change or ask for it.
func (c *Controller) Run(ctx context.Context) error {
	defer c.backend.Broker.Subscribe(c.Enqueue)()
	group, ctx := errgroup.WithContext(ctx)
	for name, k := range c.kinds {
		group.Go(func() error {
			<-ctx.Done()
			k.queue.ShutDown()
			return nil
		})
		for range k.workers {
			group.Go(func() error {
				for c.next(ctx, k) {
				}
				return nil
			})
		}
		group.Go(func() error { return c.EnqueueAll(ctx, name) })
	}
	return group.Wait()
}

// next takes one key from the queue. It returns false when the queue was shut down.
func (c *Controller) next(ctx context.Context, k *kind) bool {
	key, shutdown := k.queue.Get()
	if shutdown {
		return false
	}
	defer k.queue.Done(key)
	result, err := c.Once(ctx, key)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		c.log.Warn("an object could not be reconciled and is tried again", "object", key.String(), "error", err)
		k.queue.AddRateLimited(key)
	case result.Gone:
		k.queue.Forget(key)
	default:
		k.queue.Forget(key)
		after := resync
		if result.After > 0 {
			after = min(result.After, resync)
		}
		k.queue.AddAfter(key, after)
	}
	return true
}

// Close ends the queues of a controller that does not run. One that runs does so itself when it ends.
func (c *Controller) Close() {
	for _, k := range c.kinds {
		k.queue.ShutDown()
	}
}

// Once looks at one object of a registered kind, and says what follows.
func (c *Controller) Once(ctx context.Context, key synapse.Key) (_ Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	record, err := c.backend.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return Result{Gone: true}, nil
	}
	if err != nil {
		return Result{}, err
	}
	return c.kinds[key.Kind].reconcile(ctx, record)
}

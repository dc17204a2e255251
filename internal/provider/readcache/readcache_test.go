package readcache_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/readcache"
)

var errGone = errors.New("gone")

// world is a source whose objects are numbers.
type world struct {
	mu          sync.Mutex
	objects     map[string]int
	gets, lists int
	listing     func(context.Context) error // runs in the middle of each list
}

func (w *world) source() readcache.Source[string, int] {
	return readcache.Source[string, int]{
		Get: func(_ context.Context, key string) (int, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.gets++
			if object, ok := w.objects[key]; ok {
				return object, nil
			}
			return 0, errGone
		},
		List: func(ctx context.Context) (map[string]int, error) {
			w.mu.Lock()
			w.lists++
			copied := map[string]int{}
			for key, object := range w.objects {
				copied[key] = object
			}
			listing := w.listing
			w.mu.Unlock()
			if listing != nil {
				if err := listing(ctx); err != nil {
					return nil, err
				}
			}
			return copied, nil
		},
	}
}

func (w *world) set(key string, object int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects[key] = object
}

// warm reads until the next read is served by a list.
func warm(t *testing.T, c *readcache.Cache[string, int]) {
	t.Helper()
	for range readcache.DefaultSingles {
		_, err := c.Read(t.Context(), "a")
		require.NoError(t, err)
	}
}

func TestManyReadersShareOneList(t *testing.T) {
	t.Parallel()
	w := &world{objects: map[string]int{"a": 1}}
	c := readcache.New(w.source(), time.Now)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if object, err := c.Read(t.Context(), "a"); err != nil || object != 1 {
				t.Errorf("read %d, %v", object, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, readcache.DefaultSingles, w.gets)
	require.Equal(t, 1, w.lists)
}

func TestAListGetsOld(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	w := &world{objects: map[string]int{"a": 1}}
	c := readcache.New(w.source(), func() time.Time { return now })
	warm(t, c)
	_, err := c.Read(t.Context(), "a")
	require.NoError(t, err)
	w.set("a", 2)
	now = now.Add(readcache.DefaultTTL - time.Second)
	object, err := c.Read(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 1, object)
	now = now.Add(time.Second)
	object, err = c.Read(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 2, object)
	require.Equal(t, 2, w.lists)
}

func TestWhatTheListDoesNotHaveIsAskedFor(t *testing.T) {
	t.Parallel()
	w := &world{objects: map[string]int{"a": 1}}
	c := readcache.New(w.source(), time.Now)
	warm(t, c)
	_, err := c.Read(t.Context(), "b")
	require.ErrorIs(t, err, errGone)
	w.set("b", 5) // created by someone else since the list
	object, err := c.Read(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, 5, object)
}

func TestAWriteWhileAListIsUnderWayIsNotOverlooked(t *testing.T) {
	t.Parallel()
	w := &world{objects: map[string]int{"a": 1}}
	c := readcache.New(w.source(), time.Now)
	warm(t, c)
	w.listing = func(context.Context) error { // the list has read a already
		w.set("a", 2)
		c.Wrote("a")
		return nil
	}
	object, err := c.Read(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 2, object)
}

func TestAListThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var fail atomic.Bool
	fail.Store(true)
	w := &world{objects: map[string]int{"a": 1}, listing: func(context.Context) error {
		if fail.Load() {
			return broken
		}
		return nil
	}}
	c := readcache.New(w.source(), time.Now)
	warm(t, c)
	_, err := c.Read(t.Context(), "a")
	require.ErrorIs(t, err, broken)
	fail.Store(false)
	object, err := c.Read(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 1, object)
}

func TestAReaderDoesNotFailBecauseAnotherWasCancelled(t *testing.T) {
	t.Parallel()
	started := make(chan struct{})
	var once sync.Once
	w := &world{objects: map[string]int{"a": 1}, listing: func(ctx context.Context) error {
		first := false
		once.Do(func() { first = true; close(started) })
		if first {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	c := readcache.New(w.source(), time.Now)
	warm(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Read(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("the cancelled reader got %v", err)
		}
	})
	<-started
	wg.Go(func() {
		if object, err := c.Read(t.Context(), "a"); err != nil || object != 1 {
			t.Errorf("the other reader got %d, %v", object, err)
		}
	})
	cancel()
	wg.Wait()
}

// Whoever writes and says so reads what was written, whatever was listed before.
func TestReadsSeeOwnWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		now := time.Unix(0, 0)
		w := &world{objects: map[string]int{}}
		c := readcache.New(w.source(), func() time.Time { return now })
		own := map[string]int{}
		for step := range rapid.IntRange(1, 60).Draw(r, "steps") {
			key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "key")
			switch rapid.IntRange(0, 3).Draw(r, "what") {
			case 0:
				c.Wrote(key)
				w.set(key, step)
				c.Wrote(key)
				own[key] = step
			case 1:
				now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(r, "seconds")) * time.Second)
			default:
				object, err := c.Read(context.Background(), key)
				if wanted, written := own[key]; written && (err != nil || object != wanted) {
					r.Fatalf("read %d, %v after writing %d", object, err, wanted)
				}
			}
		}
	})
}

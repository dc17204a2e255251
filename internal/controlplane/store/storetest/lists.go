package storetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// readAll reads all pages of a list and returns the names in their order, and the number of pages.
func readAll(ctx context.Context, t require.TestingT, r store.Reader, q store.Query) ([]string, int) {
	var all []string
	for pages := 1; ; pages++ {
		page, next, err := r.List(ctx, q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), min(max(q.Limit, 1), synapse.MaxPageSize))
		all = append(all, names(page)...)
		if next == "" {
			return all, pages
		}
		require.NotEmpty(t, page, "a page with a successor has objects")
		q.Cursor = next
	}
}

func (s suite) testLists(t *testing.T) {
	ctx := t.Context()

	t.Run("2,500 objects are read in pages, in order, each once", func(t *testing.T) {
		st := s.open(t)
		var records []store.Record
		var want []string
		for i := range 2500 {
			r := tenant(fmt.Sprintf("t%04d", (i*7919)%2500)) // 7919 is prime: each number once, in no order
			if i%5 == 0 {
				r.Labels = map[string]string{"fifth": "yes"}
			}
			records = append(records, r)
			want = append(want, r.Name)
		}
		insert(t, st, records...)
		slices.Sort(want)
		for _, c := range []struct{ limit, pages int }{{1000, 3}, {999, 3}, {2500, 2}, {synapse.MaxPageSize, 2}, {1 << 40, 2}, {500, 5}} {
			got, pages := readAll(ctx, t, st, store.Query{Kind: synapse.KindTenant, Limit: c.limit})
			require.Equal(t, want, got, "limit %d", c.limit)
			require.Equal(t, c.pages, pages, "limit %d", c.limit)
		}
		for _, limit := range []int{0, -1} {
			page, next, err := st.List(ctx, store.Query{Kind: synapse.KindTenant, Limit: limit})
			require.NoError(t, err)
			require.Equal(t, want[:1], names(page), "a limit below 1 counts as 1")
			require.NotEmpty(t, next)
		}
		got, pages := readAll(ctx, t, st, store.Query{Kind: synapse.KindTenant, Limit: 100, Labels: map[string]string{"fifth": "yes"}})
		require.Len(t, got, 500)
		require.Equal(t, 5, pages, "a filter does not thin out pages")
		require.True(t, slices.IsSorted(got))
	})

	t.Run("the order is by parent, then name, in bytes", func(t *testing.T) {
		st := s.open(t)
		insert(t, st, deployment("b", "a"), deployment("a", "z"), deployment("a", "a1"), deployment("a", "a-1"),
			deployment("a-b", "a"), deployment("a", "a"))
		want := []string{"a/a", "a/a-1", "a/a1", "a/z", "a-b/a", "b/a"}
		for limit := range 7 {
			got, _ := readAll(ctx, t, st, store.Query{Kind: synapse.KindServiceDeployment, Limit: limit})
			require.Equal(t, want, got)
		}
	})

	t.Run("only the kind and parent asked for are listed", func(t *testing.T) {
		st := s.open(t)
		insert(t, st, tenant("x"), deployment("a", "1"), deployment("a", "2"), deployment("ab", "1"), deployment("b", "1"))
		for parent, want := range map[string][]string{
			"": {"a/1", "a/2", "ab/1", "b/1"}, "a": {"a/1", "a/2"}, "ab": {"ab/1"}, "c": nil, "\x00": nil, "\xff": nil,
		} {
			got, _ := readAll(ctx, t, st, store.Query{Kind: synapse.KindServiceDeployment, Parent: parent, Limit: 1})
			require.Equal(t, want, got, "parent %q", parent)
		}
	})

	t.Run("a label filter selects objects that have all labels, as they are now", func(t *testing.T) {
		st := s.open(t)
		labelled := func(name string, labels map[string]string) store.Record {
			r := tenant(name)
			r.Labels = labels
			return r
		}
		insert(t, st, labelled("a", map[string]string{"team": "core", "tier": "1"}), labelled("b", map[string]string{"team": "core"}),
			labelled("c", map[string]string{"team": "edge", "tier": "1"}), tenant("d"), labelled("e", map[string]string{"empty": ""}))
		update(t, st, labelled("b", map[string]string{"team": "core", "tier": "2"}))
		many := make(map[string]string)
		for i := range 2000 {
			many[fmt.Sprint("label", i)] = "x"
		}
		for _, c := range []struct {
			labels map[string]string
			want   []string
		}{
			{nil, []string{"a", "b", "c", "d", "e"}},
			{map[string]string{"team": "core"}, []string{"a", "b"}},
			{map[string]string{"tier": "1"}, []string{"a", "c"}},
			{map[string]string{"team": "core", "tier": "1"}, []string{"a"}},
			{map[string]string{"team": "core", "tier": "2"}, []string{"b"}},
			{map[string]string{"team": "core", "tier": "3"}, nil},
			{map[string]string{"empty": ""}, []string{"e"}},
			{map[string]string{"team": ""}, nil},
			{map[string]string{"core": "team"}, nil},
			{map[string]string{"team": "cor%"}, nil},
			{map[string]string{"te\x00am": "core"}, nil},
			{map[string]string{"team": "\xff"}, nil},
			{many, nil},
		} {
			got, _ := readAll(ctx, t, st, store.Query{Kind: synapse.KindTenant, Labels: c.labels, Limit: 2})
			require.Equal(t, c.want, got, "%.200q", c.labels)
		}
	})

	t.Run("objects being deleted are listed only when asked for, and always found by key", func(t *testing.T) {
		st := s.open(t)
		gone := tenant("b")
		gone.DeletionRequestedAt = new(moment())
		insert(t, st, tenant("a"), gone, tenant("c"))
		got, _ := readAll(ctx, t, st, store.Query{Kind: synapse.KindTenant, Limit: 1})
		require.Equal(t, []string{"a", "c"}, got)
		got, _ = readAll(ctx, t, st, store.Query{Kind: synapse.KindTenant, Limit: 1, IncludeDeleting: true})
		require.Equal(t, []string{"a", "b", "c"}, got)
		_, err := st.Get(ctx, gone.Key())
		require.NoError(t, err)
	})

	t.Run("a listed object is the object that Get returns", func(t *testing.T) {
		st := s.open(t)
		r := deployment("auth", "blue")
		r.Labels = map[string]string{"team": "core"}
		r.References = []synapse.Key{tenantKey("acme")}
		r.Status = []byte(`{"n":1}`)
		insert(t, st, r)
		read, err := st.Get(ctx, r.Key())
		require.NoError(t, err)
		page, _, err := st.List(ctx, store.Query{Kind: r.Kind, Limit: 1})
		require.NoError(t, err)
		require.Equal(t, []store.Record{read}, page)
	})

	t.Run("a transaction lists what it has written", func(t *testing.T) {
		st := s.open(t)
		insert(t, st, tenant("a"))
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
			if _, err := tx.Insert(ctx, tenant("b")); err != nil {
				return err
			}
			got, _ := readAll(ctx, t, tx, store.Query{Kind: synapse.KindTenant, Limit: 1})
			require.Equal(t, []string{"a", "b"}, got)
			return tx.Delete(ctx, tenantKey("a"))
		}))
	})
}

func (s suite) testCursors(t *testing.T) {
	ctx := t.Context()
	st := s.open(t)
	insert(t, st, tenant("a"), tenant("b"), tenant("d"), deployment("x", "a"), deployment("x", "b"), deployment("y", "a"))
	_, first, err := st.List(ctx, store.Query{Kind: synapse.KindTenant, Limit: 2})
	require.NoError(t, err)
	_, ofChildren, err := st.List(ctx, store.Query{Kind: synapse.KindServiceDeployment, Limit: 2})
	require.NoError(t, err)

	t.Run("a cursor goes on after its object, whatever came and went", func(t *testing.T) {
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error { return tx.Delete(ctx, tenantKey("b")) }))
		insert(t, st, tenant("aa"), tenant("c"))
		page, next, err := st.List(ctx, store.Query{Kind: synapse.KindTenant, Limit: 5, Cursor: first})
		require.NoError(t, err)
		require.Equal(t, []string{"c", "d"}, names(page))
		require.Empty(t, next)
	})

	t.Run("a last page that is full has no successor", func(t *testing.T) {
		page, next, err := st.List(ctx, store.Query{Kind: synapse.KindServiceDeployment, Limit: 3})
		require.NoError(t, err)
		require.Len(t, page, 3)
		require.Empty(t, next)
	})

	encoded := base64.RawURLEncoding.EncodeToString
	for name, q := range map[string]store.Query{
		"garbage is refused":                   {Cursor: "garbage"},
		"text that is not base64 is refused":   {Cursor: "!!"},
		"a cursor cut short is refused":        {Cursor: first[:len(first)-2]},
		"a cursor with more text is refused":   {Cursor: first + "AAAA"},
		"another version is refused":           {Cursor: encoded([]byte(`{"v":2,"k":"tenant","p":"","n":"b"}`))},
		"other spellings of JSON are refused":  {Cursor: encoded([]byte(`{"v":1, "k":"tenant","p":"","n":"b"}`))},
		"a cursor of another kind is refused":  {Cursor: ofChildren},
		"a cursor with a zero byte is refused": {Cursor: encoded([]byte(`{"v":1,"k":"tenant","p":"","n":"\u0000"}`))},
	} {
		t.Run(name, func(t *testing.T) {
			q.Kind, q.Limit = synapse.KindTenant, 1
			_, _, err := st.List(ctx, q)
			require.ErrorIs(t, err, store.ErrBadCursor)
		})
	}

	t.Run("a cursor of another parent is refused", func(t *testing.T) {
		q := store.Query{Kind: synapse.KindServiceDeployment, Limit: 1, Cursor: ofChildren, Parent: "y"}
		_, _, err := st.List(ctx, q)
		require.ErrorIs(t, err, store.ErrBadCursor)
		q.Parent = "x"
		_, _, err = st.List(ctx, q)
		require.NoError(t, err)
	})
}

func (s suite) testDependents(t *testing.T) {
	ctx := t.Context()
	st := s.open(t)
	region := synapse.Key{Kind: synapse.KindRegion, Name: "eu"}
	a, b, c := tenant("a"), deployment("auth", "b"), tenant("c")
	a.References = []synapse.Key{region, {Kind: synapse.KindRegion, Name: "us"}, region}
	b.References = []synapse.Key{{Kind: synapse.KindService, Name: "auth"}, region}
	b.DeletionRequestedAt = new(moment())
	c.References = []synapse.Key{{Kind: synapse.KindRegion, Parent: "eu", Name: "eu"}, {Kind: synapse.KindTenant, Name: "eu"}}
	insert(t, st, a, b, c)
	expect := func(t *testing.T, r store.Reader, key synapse.Key, want ...synapse.Key) {
		got, err := r.Dependents(ctx, key, 10)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got)
	}

	t.Run("all that refer to a key are found, those being deleted included", func(t *testing.T) {
		expect(t, st, region, a.Key(), b.Key())
		expect(t, st, synapse.Key{Kind: synapse.KindService, Name: "auth"}, b.Key())
		expect(t, st, tenantKey("a"))
		expect(t, st, tenantKey("\x00\xff"))
	})

	t.Run("at most limit are returned", func(t *testing.T) {
		for limit, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 2, 3: 2} {
			got, err := st.Dependents(ctx, region, limit)
			require.NoError(t, err)
			require.Len(t, got, want, "limit %d", limit)
		}
	})

	t.Run("updates and deletions in the transaction count", func(t *testing.T) {
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
			a.References = a.References[1:2]
			if _, err := tx.Update(ctx, a); err != nil {
				return err
			}
			expect(t, tx, region, b.Key())
			if err := tx.Delete(ctx, b.Key()); err != nil {
				return err
			}
			expect(t, tx, region)
			return nil
		}))
		expect(t, st, region)
		expect(t, st, synapse.Key{Kind: synapse.KindRegion, Name: "us"}, a.Key())
	})
}

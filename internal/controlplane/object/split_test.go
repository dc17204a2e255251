package object_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type split = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// splitWorld is the kinds that splits name, on one empty store.
type splitWorld struct {
	t           *testing.T
	backend     object.Backend
	splits      *object.Collection[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]
	slos        *object.Collection[synapse.SLOSpec, synapse.SLOStatus]
	tenants     *tenants
	deployments *object.Collection[synapse.DeploymentSpec, synapse.DeploymentStatus]
}

// newSplitWorld has the region eu, the tenant acme, the SLO errors and the deployments auth/v1 and auth/v2.
func newSplitWorld(t *testing.T) *splitWorld {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	backend, kinds := object.Backend{Store: db, Broker: object.NewBroker(), Now: time.Now}, object.NewKinds()
	w := &splitWorld{
		t: t, backend: backend, splits: object.NewCollection(backend, kinds.TrafficSplit), slos: object.NewCollection(backend, kinds.SLO),
		tenants: object.NewCollection(backend, kinds.Tenant), deployments: object.NewCollection(backend, kinds.ServiceDeployment),
	}
	mustCreate(t, object.NewCollection(backend, kinds.Region), `{"name":"eu","spec":{}}`)
	mustCreate(t, w.tenants, `{"name":"acme","spec":{"deletion_protection":false}}`)
	mustCreate(t, object.NewCollection(backend, kinds.Service), `{"name":"auth","spec":{}}`)
	mustCreate(t, w.slos, `{"name":"errors","spec":{"service":"auth","sli":"ratio","objective":99}}`)
	for _, name := range []string{"v1", "v2", "v3"} {
		mustCreate(t, w.deployments, `{"name":"`+name+`","parent":"auth","spec":{"image":"auth:v1","regions":{"eu":{}}}}`)
	}
	return w
}

func mustCreate[S, T any](t *testing.T, c *object.Collection[S, T], draft string) synapse.Object[S, T] {
	t.Helper()
	made, err := c.Create(t.Context(), []byte(draft), object.CreateOptions{})
	require.NoError(t, err)
	return made
}

// canary is a split of auth between v1 and v2, changed as a test wants it.
func canary(change func(*synapse.TrafficSplitSpec)) synapse.TrafficSplitSpec {
	spec := synapse.TrafficSplitSpec{
		Route: synapse.SplitRoute{PathPrefix: "/auth"},
		Backends: map[string]synapse.SplitBackend{
			"old": {Role: synapse.RoleStable, Deployment: "auth/v1"}, "new": {Role: synapse.RoleCandidate, Deployment: "auth/v2"},
		},
		Progression: &synapse.Progression{
			Revision: "r1", Steps: []synapse.SplitStep{{Weight: 10}, {Weight: 100}},
			Analysis: synapse.SplitAnalysis{Checks: []synapse.SplitCheck{{SLO: "errors"}}},
		},
	}
	if change != nil {
		change(&spec)
	}
	return spec
}

func draft(t *testing.T, name string, spec synapse.TrafficSplitSpec) []byte {
	t.Helper()
	text, err := json.Marshal(synapse.Draft[synapse.TrafficSplitSpec]{Name: name, Spec: spec})
	require.NoError(t, err)
	return text
}

func (w *splitWorld) create(name string, change func(*synapse.TrafficSplitSpec)) (split, error) {
	w.t.Helper()
	return w.splits.Create(w.t.Context(), draft(w.t, name, canary(change)), object.CreateOptions{})
}

func (w *splitWorld) update(name string, change func(*synapse.TrafficSplitSpec)) (split, error) {
	w.t.Helper()
	key := synapse.Key{Kind: synapse.KindTrafficSplit, Name: name}
	return w.splits.Update(w.t.Context(), key, draft(w.t, name, canary(change)), object.UpdateOptions{IfMatch: "*"})
}

// state writes what the state machine of a split is to remember.
func (w *splitWorld) state(s split, mutate func(*synapse.SplitState)) {
	w.t.Helper()
	_, err := object.WriteStatus(w.t.Context(), w.backend, s.Key(), s.UID, func(status *synapse.TrafficSplitStatus) {
		status.State = synapse.SplitState{Phase: synapse.SplitAnalysing, Revision: "r1", Stable: "old", Candidate: "new", Weights: map[string]int{"old": 90, "new": 10}}
		status.ObservedGeneration = s.Generation
		mutate(&status.State)
	})
	require.NoError(w.t, err)
}

// refused checks that an error is about one field, and says something about it.
func refused(t *testing.T, err error, pointer, says string) {
	t.Helper()
	var p *synapse.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, 422, p.Status)
	var pointers []string
	for _, field := range p.Errors {
		pointers = append(pointers, field.Pointer)
	}
	require.Equal(t, []string{pointer}, pointers)
	require.Contains(t, p.Errors[0].Message, says)
}

func TestARouteBelongsToOneSplit(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t)
	route := func(host, prefix string, methods ...string) func(*synapse.TrafficSplitSpec) {
		return func(s *synapse.TrafficSplitSpec) {
			s.Route = synapse.SplitRoute{Host: host, PathPrefix: prefix, Methods: methods}
		}
	}
	for name, first := range map[string]func(*synapse.TrafficSplitSpec){
		"first-path": route("", "/auth"), "first-host": route("api.example.com", "/"), "first-methods": route("", "/read", "GET", "HEAD"),
	} {
		_, err := w.create(name, first)
		require.NoError(t, err)
	}
	for name, test := range map[string]struct {
		route   func(*synapse.TrafficSplitSpec)
		pointer string // of the error, or "" when the route is free
	}{
		"the same path":                         {route("", "/auth"), "/spec/route/path_prefix"},
		"the same host":                         {route("API.example.com", "/"), "/spec/route/host"},
		"a method of another":                   {route("", "/read", "POST", "GET"), "/spec/route/path_prefix"},
		"another path of the host":              {route("api.example.com", "/auth"), ""},
		"the same path of another host":         {route("www.example.com", "/auth"), ""},
		"a path below":                          {route("", "/auth/login"), ""},
		"other methods":                         {route("", "/read", "POST"), ""},
		"all methods, which some precede":       {route("", "/read"), ""},
		"some methods of a path, which precede": {route("", "/auth", "GET"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.splits.Create(t.Context(), draft(t, "second", canary(test.route)), object.CreateOptions{DryRun: true})
			if test.pointer == "" {
				require.NoError(t, err)
				return
			}
			refused(t, err, test.pointer, `traffic split "first-`)
		})
	}
}

func TestASplitKeepsItsOwnRouteAndADeletedOneUntilItIsGone(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t)
	first, err := w.create("first", nil)
	require.NoError(t, err)
	_, err = w.update("first", func(s *synapse.TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} })
	require.NoError(t, err)
	_, _, err = w.splits.Delete(t.Context(), first.Key(), object.DeleteOptions{})
	require.NoError(t, err)
	_, err = w.create("second", nil)
	refused(t, err, "/spec/route/path_prefix", "which is being deleted")
	require.NoError(t, object.Remove(t.Context(), w.backend, first.Key(), first.UID))
	_, err = w.create("second", nil)
	require.NoError(t, err)
}

func TestWhatASplitNamesCanNotBeDeleted(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t)
	_, err := w.create("login", func(s *synapse.TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} })
	require.NoError(t, err)
	inUse := func(err error) {
		t.Helper()
		var p *synapse.Problem
		require.ErrorAs(t, err, &p)
		require.Equal(t, synapse.CodeDependentsExist, p.Code)
		require.Contains(t, p.Detail, `traffic split "login"`)
	}
	_, _, err = w.deployments.Delete(t.Context(), synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v2"}, object.DeleteOptions{})
	inUse(err)
	_, _, err = w.slos.Delete(t.Context(), synapse.Key{Kind: synapse.KindSLO, Name: "errors"}, object.DeleteOptions{})
	inUse(err)
	_, _, err = w.tenants.Delete(t.Context(), synapse.Key{Kind: synapse.KindTenant, Name: "acme"}, object.DeleteOptions{})
	inUse(err)
	_, _, err = w.deployments.Delete(t.Context(), synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v3"}, object.DeleteOptions{})
	require.NoError(t, err, "what no split names can go")
}

func TestWhatASplitNamesMustExist(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t)
	_, err := w.create("login", func(s *synapse.TrafficSplitSpec) {
		s.Backends["new"] = synapse.SplitBackend{Role: synapse.RoleCandidate, Deployment: "auth/v9"}
		s.Pins = map[string]string{"nobody": "new"}
		s.Progression.Analysis.Checks[0].SLO = "nothing"
		s.Progression.Waves = []synapse.SplitWave{{Regions: []string{"mars"}}}
	})
	var p *synapse.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, synapse.CodeReferenceNotFound, p.Code)
	pointers := map[string]bool{}
	for _, field := range p.Errors {
		pointers[field.Pointer] = true
	}
	require.Equal(t, []string{
		"/spec/backends/new/deployment", "/spec/pins/nobody", "/spec/progression/analysis/checks/0/slo", "/spec/progression/waves/0/regions/0",
	}, slices.Sorted(maps.Keys(pointers)))
}

func TestChangesOfASplit(t *testing.T) {
	t.Parallel()
	none := func(*synapse.SplitState) {}
	phase := func(phase synapse.SplitPhase) func(*synapse.SplitState) {
		return func(s *synapse.SplitState) { s.Phase = phase }
	}
	completed := func(s *synapse.SplitState) {
		s.Phase, s.Stable, s.Weights = synapse.SplitCompleted, "new", map[string]int{"old": 0, "new": 100}
	}
	reject := func(s *synapse.TrafficSplitSpec) { s.Progression.OnUpdate = synapse.UpdateReject }
	without := func(name, third string) func(*synapse.TrafficSplitSpec) {
		return func(s *synapse.TrafficSplitSpec) {
			role := s.Backends[name].Role
			delete(s.Backends, name)
			s.Backends[third] = synapse.SplitBackend{Role: role, Deployment: "auth/v3"}
		}
	}
	for name, test := range map[string]struct {
		before  func(*synapse.TrafficSplitSpec)
		state   func(*synapse.SplitState)
		change  func(*synapse.TrafficSplitSpec)
		pointer string // of the error, or "" when the change is fine
		says    string
	}{
		"a running progression can be changed": {
			nil, none, func(s *synapse.TrafficSplitSpec) { s.Progression.Steps[0].Weight = 5 }, "", "",
		},
		"one that rejects changes can not": {
			reject, none, func(s *synapse.TrafficSplitSpec) { reject(s); s.Progression.Steps[0].Weight = 5 }, "/spec/progression", "synapsed split rollback login",
		},
		"one that rejects changes can not be replaced by weights": {
			reject, none, func(s *synapse.TrafficSplitSpec) { s.Progression, s.Weights = nil, map[string]int{"new": 100} }, "/spec/progression", "reject",
		},
		"its pins can be changed nevertheless": {
			reject, none, func(s *synapse.TrafficSplitSpec) { reject(s); s.Pins = map[string]string{"acme": "new"} }, "", "",
		},
		"one that rejects changes can be changed when it has ended": {
			reject, phase(synapse.SplitRolledBack), func(s *synapse.TrafficSplitSpec) { reject(s); s.Progression.Revision = "r2" }, "", "",
		},
		"a frozen split can not be changed": {
			nil, func(s *synapse.SplitState) { s.Phase, s.FrozenBy = synapse.SplitFrozen, "drill-7" },
			func(s *synapse.TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} }, "/spec", "drill-7",
		},
		"a new revision of a completed progression needs another candidate": {
			nil, completed, func(s *synapse.TrafficSplitSpec) { s.Progression.Revision = "r2" }, "/spec/backends/new/role", `backend "new" already serves everything`,
		},
		"the completed candidate can become the stable backend": {
			nil, completed, func(s *synapse.TrafficSplitSpec) {
				s.Progression.Revision = "r2"
				s.Backends = map[string]synapse.SplitBackend{
					"new": {Role: synapse.RoleStable, Deployment: "auth/v2"}, "next": {Role: synapse.RoleCandidate, Deployment: "auth/v3"},
				}
			}, "", "",
		},
		"a backend that serves users can not be taken away": {
			nil, none, without("new", "next"), "/spec/backends", "\"new\" serves 10 %",
		},
		"nor one that serves users in some region only": {
			nil, func(s *synapse.SplitState) {
				s.Weights = map[string]int{"old": 100, "new": 0}
				s.RegionWeights = map[string]map[string]int{"eu": {"old": 70, "new": 30}}
			}, without("new", "next"), "/spec/backends", "\"new\" serves 30 %",
		},
		"one that serves nobody can": {
			nil, completed, func(s *synapse.TrafficSplitSpec) { without("old", "older")(s) }, "", "",
		},
		"static weights say who serves in its place": {
			nil, none, func(s *synapse.TrafficSplitSpec) {
				without("new", "next")(s)
				s.Progression, s.Weights = nil, map[string]int{"old": 100, "next": 0}
			}, "", "",
		},
		"a revision that was rolled back is refused when another one ran since": {
			nil, func(s *synapse.SplitState) {
				s.Phase, s.Revision = synapse.SplitCompleted, "r2"
				s.RolledBack = []synapse.RolledBackRevision{{Revision: "r1", Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Message: "SLO errors: candidate 4.8 % bad"}}
			}, func(s *synapse.TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} }, "/spec/progression/revision",
			"revision \"r1\" was rolled back on 2026-03-01 12:00:00 UTC (SLO errors: candidate 4.8 % bad), and does not start again by itself. " +
				"Give the progression another revision, such as \"r1-2\"; or, if the cause lay elsewhere and is dealt with, run `synapsed split retry login --revision r1`",
		},
		"one that was rolled back last can stay in the configuration": {
			nil, func(s *synapse.SplitState) {
				s.Phase, s.RolledBack = synapse.SplitRolledBack, []synapse.RolledBackRevision{{Revision: "r1"}}
			}, func(s *synapse.TrafficSplitSpec) { s.Pins = map[string]string{"acme": "new"} }, "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSplitWorld(t)
			before, err := w.create("login", test.before)
			require.NoError(t, err)
			w.state(before, test.state)
			_, err = w.update("login", test.change)
			if test.pointer == "" {
				require.NoError(t, err)
				return
			}
			refused(t, err, test.pointer, test.says)
		})
	}
	t.Run("labels of a frozen split can be changed", func(t *testing.T) {
		t.Parallel()
		w := newSplitWorld(t)
		before, err := w.create("login", nil)
		require.NoError(t, err)
		w.state(before, phase(synapse.SplitFrozen))
		text, err := json.Marshal(synapse.Draft[synapse.TrafficSplitSpec]{Name: "login", Labels: map[string]string{"team": "a"}, Spec: canary(nil)})
		require.NoError(t, err)
		_, err = w.splits.Update(t.Context(), before.Key(), text, object.UpdateOptions{IfMatch: "*"})
		require.NoError(t, err)
	})
}

func TestDeletionOfASplit(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t)
	live, err := w.create("login", nil)
	require.NoError(t, err)
	w.state(live, func(s *synapse.SplitState) { s.Phase, s.FrozenBy = synapse.SplitFrozen, "drill-7" })
	_, _, err = w.splits.Delete(t.Context(), live.Key(), object.DeleteOptions{})
	p, ok := errors.AsType[*synapse.Problem](err)
	require.True(t, ok)
	require.Equal(t, 409, p.Status)
	require.Contains(t, p.Detail, "drill-7")
	w.state(live, func(*synapse.SplitState) {})
	_, found, err := w.splits.Delete(t.Context(), live.Key(), object.DeleteOptions{})
	require.NoError(t, err, "a progression that runs does not hold it")
	require.True(t, found)
}

func TestReplaceStatus(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t)
	seen, err := w.create("login", nil)
	require.NoError(t, err)
	wake, stop := w.backend.Broker.Watch(seen.Key())
	defer stop()
	next := seen.Status
	next.State.Phase = synapse.SplitPreflight

	t.Run("what is as it was is not written", func(t *testing.T) {
		require.NoError(t, object.ReplaceStatus(t.Context(), w.backend, seen.Meta, seen.Status))
		require.Empty(t, wake)
	})
	t.Run("it writes what was worked out from the newest object", func(t *testing.T) {
		require.NoError(t, object.ReplaceStatus(t.Context(), w.backend, seen.Meta, next))
		require.Len(t, wake, 1)
		now, err := w.splits.Get(t.Context(), seen.Key())
		require.NoError(t, err)
		require.Equal(t, synapse.SplitPreflight, now.Status.State.Phase)
		require.Equal(t, seen.Generation, now.Generation)
	})
	t.Run("it writes nothing over what others wrote", func(t *testing.T) {
		stale := seen.Status
		stale.State.Phase = synapse.SplitCompleted
		require.ErrorIs(t, object.ReplaceStatus(t.Context(), w.backend, seen.Meta, stale), object.ErrChanged)
		require.ErrorIs(t, object.ReplaceStatus(t.Context(), w.backend, seen.Meta, next), object.ErrChanged, "also when it is the same by chance")
		now, err := w.splits.Get(t.Context(), seen.Key())
		require.NoError(t, err)
		require.Equal(t, synapse.SplitPreflight, now.Status.State.Phase)
	})
	t.Run("an object that was replaced by another of its name is left alone", func(t *testing.T) {
		other := seen.Meta
		other.UID = "another-uid"
		require.True(t, object.IsGone(object.ReplaceStatus(t.Context(), w.backend, other, next)))
	})
}

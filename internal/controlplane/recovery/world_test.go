package recovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// world is a platform of three regions in memory, with a store, a clock, users who write, and a control plane that can end
// at any point.
type world struct {
	t       *testing.T
	backend object.Backend
	kinds   object.Kinds
	at      time.Time
	// instance numbers the control planes: a new one after each crash.
	instance   int
	failovers  *Failovers
	runs       *DrillRuns
	controller *reconcile.Controller
	crash      func(point string) // may panic before or after an effect

	regions   map[string]*place
	mode      synapse.ReplicationMode
	syncFrom  time.Time // when writes begin to wait for a standby, where the mode says so
	faults    map[string]runtime.Fault
	endpoint  string // region that the write endpoint leads to
	active    string
	drained   map[string]time.Time
	dataHome  string
	effects   []string // what was done to the world, in order
	percent   float64  // bad requests of any SLO
	noFigures error

	client    *client.Spec
	clientEnd time.Time
	samples   []client.Sample
	acked     []int64
	seq       int64
	next      time.Time // of the client's next request and write
	behind    int       // writes that an asynchronous standby lacks
	newerSeen int64     // newest fencing token of a fault
	stuck     bool      // switchovers fail
	shared    bool      // other control planes may use the runtime too
}

// place is a region as it really is.
type place struct {
	down         map[string]bool // what somebody else broke: gateway, database
	primary      bool
	fenced       bool
	rejoinAt     time.Time // when a database that came back follows the primary
	log          []int64   // markers that the database has
	gatewaySince time.Time
	gatewayUp    bool
	dbSince      time.Time
	dbUp         bool
}

var errCrashed = errors.New("crashed")

const policyDraft = `{"name":"core","spec":{"services":["auth"],"preferred":"eu","standby":["us"],"mode":"%s","replication":"%s",
	"objectives":{"rto":"30s","rpo":"%s"},"steps":[{"type":"fence","timeout":"5s"},{"type":"promote_database","timeout":"5s"},{"type":"shift_traffic","timeout":"5s"},{"type":"verify","timeout":"5s"}],
	"limits":{"cooldown":"10m","max_automatic_per_day":2},"failback":{"stabilise_for":"10s"}}}`

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(memory(t), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	w := &world{
		t: t, kinds: object.NewKinds(), at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), crash: func(string) {},
		regions: map[string]*place{}, faults: map[string]runtime.Fault{}, mode: synapse.ReplicationAsynchronous, endpoint: "eu",
	}
	w.backend = object.Backend{Store: &crashingStore{s, w}, Broker: object.NewBroker(), Now: func() time.Time { return w.at }}
	for _, name := range []string{"eu", "us", "ap"} {
		w.regions[name] = &place{down: map[string]bool{}, primary: name == "eu", gatewayUp: true, dbUp: true, gatewaySince: w.at.Add(-time.Hour), dbSince: w.at.Add(-time.Hour)}
		w.put(synapse.KindRegion, "", name, `{"runtime":"local"}`)
	}
	w.put(synapse.KindService, "", "auth", `{}`)
	w.put(synapse.KindServiceDeployment, "auth", "v1", `{"image":"auth:v1","regions":{"eu":{"min_replicas":2},"us":{"min_replicas":2},"ap":{"min_replicas":2}}}`)
	w.ready("eu", "us", "ap")
	w.restart()
	t.Cleanup(func() { w.controller.Close() })
	return w
}

// memory is a directory that no write waits for a disk in, where there is such a one: a story is played hundreds of times.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "synapse-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// restart is a new control plane on the same store.
func (w *world) restart() {
	w.instance++
	w.failovers = &Failovers{Backend: w.backend, Kinds: w.kinds, Runtime: w, Telemetry: w, Moved: func(context.Context) error { return nil }}
	if w.controller != nil {
		w.controller.Close()
	}
	w.runs = &DrillRuns{Backend: w.backend, Kinds: w.kinds, Runtime: w, Telemetry: w, EntryURL: "http://entry", Environment: "staging", Instance: fmt.Sprint("instance-", w.instance)}
	w.controller = reconcile.New(w.backend, slog.New(slog.DiscardHandler))
	reconcile.AddStateMachine(w.controller, synapse.KindFailoverPolicy, 1, w.failovers.Reconcile)
	reconcile.AddStateMachine(w.controller, synapse.KindDrillRun, 1, w.runs.Reconcile)
	reconcile.AddStateMachine(w.controller, synapse.KindDrill, 1, Drills{Backend: w.backend, Kinds: w.kinds}.Reconcile)
}

func (w *world) put(kind synapse.Kind, parent, name, spec string) {
	w.t.Helper()
	record := store.Record{Meta: synapse.Meta{Kind: kind, Parent: parent, Name: name, UID: "uid-" + name, Generation: 1, CreatedAt: w.at, UpdatedAt: w.at}, Spec: []byte(spec), Status: []byte(`{}`)}
	require.NoError(w.t, w.backend.Store.Write(w.t.Context(), func(tx store.Tx) error { _, err := tx.Insert(w.t.Context(), record); return err }))
}

// ready gives the deployment two ready replicas in these regions, and none elsewhere.
func (w *world) ready(regions ...string) {
	w.t.Helper()
	key := synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v1"}
	_, err := object.WriteStatus(w.t.Context(), w.backend, key, "uid-v1", func(s *synapse.DeploymentStatus) {
		s.Regions = map[string]synapse.DeploymentRegionStatus{}
		for _, name := range regions {
			s.Regions[name] = synapse.DeploymentRegionStatus{Ready: 2, Replicas: 2}
		}
	})
	require.NoError(w.t, err)
}

func (w *world) policy(mode, replication, rpo string) {
	w.t.Helper()
	policies := object.NewCollection(w.backend, w.kinds.FailoverPolicy)
	_, err := policies.Create(w.t.Context(), fmt.Appendf(nil, policyDraft, mode, replication, rpo), object.CreateOptions{})
	require.NoError(w.t, err)
}

func (w *world) drill(spec string) {
	w.t.Helper()
	drills := object.NewCollection(w.backend, w.kinds.Drill)
	_, err := drills.Create(w.t.Context(), []byte(`{"name":"loss","spec":`+spec+`}`), object.CreateOptions{})
	require.NoError(w.t, err)
}

const lossDrill = `{"failover_policy":"core","scenario":{"type":"region_loss","hold":"2s"},"steady_state":{"observe":"2s"},"max_duration":"2m","restore":{"timeout":"1m"}}`

func (w *world) begin(name string) {
	w.t.Helper()
	runs := object.NewCollection(w.backend, w.kinds.DrillRun)
	_, err := runs.Create(w.t.Context(), []byte(`{"name":"`+name+`","spec":{"drill":"loss"}}`), object.CreateOptions{Caller: object.Caller{Name: "ann"}})
	require.NoError(w.t, err)
}

func (w *world) readPolicy() policy {
	w.t.Helper()
	p, err := object.Load[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](w.t.Context(), w.backend.Store, synapse.Key{Kind: synapse.KindFailoverPolicy, Name: "core"})
	require.NoError(w.t, err)
	return p
}

func (w *world) readRun(name string) run {
	w.t.Helper()
	r, err := object.Load[synapse.DrillRunSpec, synapse.DrillRunStatus](w.t.Context(), w.backend.Store, synapse.Key{Kind: synapse.KindDrillRun, Name: name})
	require.NoError(w.t, err)
	return r
}

// pass is one look at an object by the control plane. A crash starts another one.
func (w *world) pass(key synapse.Key) (after time.Duration) {
	w.t.Helper()
	result, err := w.controller.Once(w.t.Context(), key)
	if err != nil {
		if errors.Is(err, errCrashed) || err.Error() == "panic: "+errCrashed.Error() {
			w.restart()
			return time.Second
		}
		w.t.Logf("%s %s: %v", w.at.Format("05.000"), key, err)
		return 100 * time.Millisecond
	}
	if result.After == 0 {
		return time.Second
	}
	return result.After
}

// until lets the world and the control plane go on until something is so, looking at objects as they ask for it.
func (w *world) until(what string, keys []synapse.Key, done func() bool) {
	w.t.Helper()
	due := map[synapse.Key]time.Time{}
	limit := w.at.Add(10 * time.Minute)
	for !done() {
		looked := len(keys) == 0
		for !looked {
			for _, key := range keys {
				if !w.at.Before(due[key]) {
					due[key] = w.at.Add(w.pass(key))
					looked = true
				}
			}
			w.advance(tick)
		}
		if w.at.After(limit) {
			require.Fail(w.t, "it does not come to that", "%s; policy %+v", what, w.readPolicy().Status)
		}
	}
}

var policyKey = synapse.Key{Kind: synapse.KindFailoverPolicy, Name: "core"}

func runKey(name string) synapse.Key { return synapse.Key{Kind: synapse.KindDrillRun, Name: name} }

// play lets a run go to its end.
func (w *world) play(name string) run {
	w.t.Helper()
	w.until("run "+name+" has ended", []synapse.Key{policyKey, runKey(name)}, func() bool { return w.readRun(name).Status.State == synapse.DrillEnded })
	return w.readRun(name)
}

// settle lets the policy be looked at until it is ready and nothing is under way.
func (w *world) settle() policy {
	w.t.Helper()
	w.until("the policy is settled", []synapse.Key{policyKey}, func() bool {
		p := w.readPolicy()
		return p.Status.Transition == nil && p.Status.Phase == synapse.PhaseReady && p.Status.ObservedGeneration == p.Generation
	})
	return w.readPolicy()
}

// tick is how finely time passes.
const tick = 10 * time.Millisecond

// advance lets time pass: databases that came back rejoin, observers look, the client sends.
func (w *world) advance(d time.Duration) {
	end := w.at.Add(d)
	for w.at.Before(end) {
		w.at = w.at.Add(tick)
		for _, name := range slices.Sorted(maps.Keys(w.regions)) {
			w.observe(name)
		}
		w.send()
	}
}

func (w *world) observe(name string) {
	p := w.regions[name]
	gateway, database := w.up(name, "gateway"), w.up(name, "database")
	if gateway != p.gatewayUp {
		p.gatewayUp, p.gatewaySince = gateway, w.at
	}
	if database != p.dbUp {
		p.dbUp, p.dbSince = database, w.at
		p.rejoinAt = w.at.Add(300 * time.Millisecond)
	}
	if database && p.fenced && !w.at.Before(p.rejoinAt) {
		for other, q := range w.regions {
			if q.primary && !q.fenced && w.up(other, "database") {
				p.fenced, p.log = false, slices.Clone(q.log)
			}
		}
	}
}

// up reports whether a part of a region works: nobody broke it, and no fault is in force.
func (w *world) up(region, part string) bool {
	if w.regions[region].down[part] {
		return false
	}
	for _, f := range w.faults {
		if f.Region != region || !w.at.Before(f.Until) {
			continue
		}
		switch f.Kind {
		case runtime.FaultLoss, runtime.FaultIsolation:
			return false
		case runtime.FaultDatabaseStop:
			if part == "database" {
				return false
			}
		}
	}
	return true
}

// accepts reports whether a region's database takes writes.
func (w *world) accepts(region string) bool {
	p := w.regions[region]
	return p.primary && !p.fenced && w.up(region, "database")
}

func (w *world) send() {
	if w.client == nil || w.at.After(w.client.Until) || !w.clientEnd.IsZero() || w.at.Before(w.next) {
		return
	}
	w.next = w.at.Add(50 * time.Millisecond)
	w.seq++
	served := false
	for name := range w.regions {
		until, drained := w.drained[name]
		served = served || w.up(name, "gateway") && !(drained && (until.IsZero() || w.at.Before(until)))
	}
	w.samples = append(w.samples, client.Sample{Kind: client.KindRequest, Seq: w.seq, SentAt: w.at.UnixNano(), Took: time.Millisecond, OK: served})
	written := w.endpoint != "" && w.accepts(w.endpoint)
	if written {
		primary := w.regions[w.endpoint]
		primary.log = append(primary.log, w.seq)
		for name, standby := range w.regions {
			if name != w.endpoint && !standby.fenced && w.up(name, "database") {
				most := len(primary.log)
				if w.mode == synapse.ReplicationAsynchronous {
					most = max(0, most-w.behind)
				}
				standby.log = slices.Clone(primary.log[:max(most, min(len(standby.log), len(primary.log)))])
			}
		}
		w.acked = append(w.acked, w.seq)
	}
	w.samples = append(w.samples, client.Sample{Kind: client.KindMarker, Seq: w.seq, SentAt: w.at.UnixNano(), Took: time.Millisecond, OK: written})
}

// did notes an effect, with the points before and after it at which the control plane may end.
func (w *world) did(what string, effect func()) {
	w.crash("before " + what)
	effect()
	if len(w.effects) == 0 || w.effects[len(w.effects)-1] != what {
		w.effects = append(w.effects, what)
	}
	w.crash("after " + what)
}

// crashingStore lets the control plane end before or after a write.
type crashingStore struct {
	store.Store
	world *world
}

func (s *crashingStore) Write(ctx context.Context, fn func(store.Tx) error) error {
	s.world.crash("before a write")
	if err := s.Store.Write(ctx, fn); err != nil {
		return err
	}
	s.world.crash("after a write")
	return nil
}

// BadPercent implements [Telemetry].
func (w *world) BadPercent(context.Context, string, time.Time) (float64, int64, error) {
	return w.percent, 100, w.noFigures
}

// Observations implements [Runtime].
func (w *world) Observations(context.Context) []runtime.Observation {
	var seen []runtime.Observation
	for _, observer := range []string{"synapsed", "entry", "gateway-eu", "gateway-us", "gateway-ap"} {
		for name, p := range w.regions {
			if observer == "gateway-"+name || observer != "synapsed" && observer != "entry" && !w.up(observer[len("gateway-"):], "gateway") {
				continue
			}
			seen = append(seen,
				runtime.Observation{Observer: observer, Region: name, Component: runtime.ComponentGateway, Healthy: p.gatewayUp, Since: p.gatewaySince, Error: "refused"},
				runtime.Observation{Observer: observer, Region: name, Component: runtime.ComponentDatabase, Healthy: p.dbUp, Since: p.dbSince, Error: "refused"})
		}
	}
	return seen
}

// Databases implements [Runtime].
func (w *world) Databases(context.Context) []runtime.DatabaseState {
	var all []runtime.DatabaseState
	for _, name := range slices.Sorted(maps.Keys(w.regions)) {
		p := w.regions[name]
		d := runtime.DatabaseState{Region: name, Role: synapse.DatabaseStandby, Fenced: p.fenced, Healthy: w.up(name, "database"), LagBytes: -1, Lag: -1}
		if p.primary {
			d.Role = synapse.DatabasePrimary
		}
		for other, q := range w.regions {
			if !p.primary && !p.fenced && q.primary && !q.fenced && w.up(other, "database") && d.Healthy {
				d.Streaming, d.Lag, d.LagBytes, d.Synchronous = true, 0, 0, w.mode == synapse.ReplicationSynchronous && !w.at.Before(w.syncFrom)
			}
		}
		all = append(all, d)
	}
	return all
}

// SetReplication implements [Runtime].
func (w *world) SetReplication(_ context.Context, mode synapse.ReplicationMode) error {
	w.mode = mode
	return nil
}

// FurthestDatabase implements [Runtime].
func (w *world) FurthestDatabase(_ context.Context, regions []string) (string, error) {
	best := ""
	for _, name := range regions {
		if p := w.regions[name]; w.up(name, "database") && !p.primary && !p.fenced && (best == "" || len(p.log) > len(w.regions[best].log)) {
			best = name
		}
	}
	if best == "" {
		return "", errors.New("no standby works")
	}
	return best, nil
}

// FenceDatabase implements [Runtime].
func (w *world) FenceDatabase(_ context.Context, region string) error {
	w.did("fence "+region, func() {
		if p := w.regions[region]; p.primary {
			p.fenced = true
		}
	})
	return nil
}

// PromoteDatabase implements [Runtime].
func (w *world) PromoteDatabase(_ context.Context, region string) error {
	for name, p := range w.regions {
		if name != region && p.primary && !p.fenced {
			return fmt.Errorf("%s is the primary and not fenced", name)
		}
	}
	if !w.up(region, "database") {
		return errors.New("it does not run")
	}
	w.did("promote "+region, func() {
		for name, p := range w.regions {
			p.primary = name == region
		}
		w.endpoint = region
	})
	return nil
}

// SwitchoverDatabase implements [Runtime].
func (w *world) SwitchoverDatabase(_ context.Context, to string) error {
	from := w.endpoint
	if from == to {
		return nil
	}
	if w.stuck || !w.up(to, "database") || !w.up(from, "database") || w.regions[to].fenced {
		return errors.New("one of the two does not work")
	}
	w.did("switch over to "+to, func() {
		w.regions[to].log = slices.Clone(w.regions[from].log)
		w.regions[from].primary, w.regions[to].primary, w.endpoint = false, true, to
	})
	return nil
}

// ShiftTraffic implements [Runtime].
func (w *world) ShiftTraffic(_ context.Context, active string, drained map[string]time.Time) error {
	if w.active == active && maps.Equal(w.drained, drained) {
		return nil
	}
	w.did("shift traffic to "+active, func() { w.active, w.drained = active, maps.Clone(drained) })
	return nil
}

// SetDataHome implements [Runtime].
func (w *world) SetDataHome(_ context.Context, region string) error {
	w.dataHome = region
	return nil
}

// StartFault implements [DrillRuntime].
func (w *world) StartFault(_ context.Context, f runtime.Fault) error {
	if f.Token < w.newerSeen {
		return errors.New("a newer lease exists")
	}
	w.newerSeen = f.Token
	w.did("start "+string(f.Kind), func() { w.faults[f.ID] = f })
	return nil
}

// EndFault implements [DrillRuntime].
func (w *world) EndFault(_ context.Context, id string) error {
	if _, known := w.faults[id]; known {
		w.did("end fault", func() { delete(w.faults, id) })
	}
	return nil
}

// StartClient implements [DrillRuntime].
func (w *world) StartClient(_ context.Context, spec client.Spec) error {
	if w.client == nil {
		w.did("start client", func() { w.client = &spec })
	}
	return nil
}

// StopClient implements [DrillRuntime].
func (w *world) StopClient(context.Context, string) error {
	if w.client != nil && w.clientEnd.IsZero() {
		w.did("stop client", func() { w.clientEnd = w.at })
	}
	return nil
}

type samplesOf struct {
	w    *world
	read int
}

// Poll implements [Samples].
func (s *samplesOf) Poll() ([]client.Sample, error) {
	more := s.w.samples[s.read:]
	s.read = len(s.w.samples)
	return slices.Clone(more), nil
}

// Samples implements [DrillRuntime].
func (w *world) Samples(string) Samples { return &samplesOf{w: w} }

// SamplesDigest implements [DrillRuntime].
func (w *world) SamplesDigest(string) (string, error) { return "digest", nil }

// Markers implements [DrillRuntime].
func (w *world) Markers(context.Context, string) ([]int64, error) {
	for name, p := range w.regions {
		if p.primary && !p.fenced {
			if !w.up(name, "database") {
				return nil, errors.New("the primary does not answer")
			}
			return slices.Clone(p.log), nil
		}
	}
	return nil, errors.New("there is no primary")
}

// ForgetRun implements [DrillRuntime].
func (w *world) ForgetRun(context.Context, string) error {
	w.client, w.samples = nil, nil
	return nil
}

// Exclusive implements [DrillRuntime].
func (w *world) Exclusive() bool { return !w.shared }

type databaseState = runtime.DatabaseState

func listAll() store.Query { return store.Query{Limit: synapse.MaxPageSize} }

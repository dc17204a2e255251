package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

type split = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// upstream is a backend outside the platform, as the monolith is at first.
type upstream struct {
	*httptest.Server
	// failEvery makes one of so many answers a failure; 0: none.
	failEvery atomic.Int64
	served    atomic.Int64
}

func newUpstream(t *testing.T, name string) *upstream {
	t.Helper()
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := u.served.Add(1)
		if every := u.failEvery.Load(); every > 0 && n%every == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(u.Close)
	return u
}

// splitStack is a control plane with two regions, a service and its objective, and what a split leads to.
type splitStack struct {
	*synapsedtest.Daemon
	t                   *testing.T
	monolith, candidate *upstream
}

func newSplitStack(t *testing.T, flags ...string) *splitStack {
	t.Helper()
	s := &splitStack{Daemon: synapsedtest.Start(t, flags...), t: t, monolith: newUpstream(t, "monolith"), candidate: newUpstream(t, "candidate")}
	for _, region := range []string{"eu", "us"} {
		createObject[synapse.RegionSpec, synapse.RegionStatus](s, synapse.KindRegion, region, synapse.RegionSpec{Runtime: synapse.RuntimeLocal})
	}
	createObject[synapse.ServiceSpec, synapse.ServiceStatus](s, synapse.KindService, "auth", synapse.ServiceSpec{HealthPath: "/healthz"})
	createObject[synapse.SLOSpec, synapse.SLOStatus](s, synapse.KindSLO, "auth", synapse.SLOSpec{Service: "auth", SLI: synapse.SLIRatio, Objective: 99})
	return s
}

// createObject creates an object and waits until it is ready.
func createObject[S, T any](s *splitStack, kind synapse.Kind, name string, spec S) {
	s.t.Helper()
	create[S, T](s.t, s.Daemon, kind, synapse.Draft[S]{Name: name, Spec: spec})
	require.Eventually(s.t, func() bool { // the write's own wait ends early when the object takes long
		object, err := client.Get[S, synapse.Status](s.t.Context(), s.Client(), synapse.Key{Kind: kind, Name: name})
		return err == nil && object.Status.Phase == synapse.PhaseReady
	}, time.Minute, 50*time.Millisecond)
}

// spec is a split between the monolith and the candidate.
func (s *splitStack) spec(progression *synapse.Progression) synapse.TrafficSplitSpec {
	return synapse.TrafficSplitSpec{
		Route: synapse.SplitRoute{PathPrefix: "/login"},
		Backends: map[string]synapse.SplitBackend{
			"monolith":  {Role: synapse.RoleStable, URL: s.monolith.URL},
			"candidate": {Role: synapse.RoleCandidate, URL: s.candidate.URL},
		},
		Progression: progression,
	}
}

// progression has an interval that leaves a busy machine time to measure.
func progression(revision string, steps ...synapse.SplitStep) *synapse.Progression {
	return &synapse.Progression{
		Revision: revision, Steps: steps,
		Analysis: synapse.SplitAnalysis{Interval: "2s", MinRequests: 10, Checks: []synapse.SplitCheck{{SLO: "auth"}}},
	}
}

func (s *splitStack) get() *split {
	s.t.Helper()
	object, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](s.t.Context(), s.Client(), synapse.Key{Kind: synapse.KindTrafficSplit, Name: "login"})
	require.NoError(s.t, err)
	return object
}

// update changes the spec, whatever the controller writes meanwhile.
func (s *splitStack) update(change func(*synapse.TrafficSplitSpec)) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		object := s.get()
		change(&object.Spec)
		_, err := client.Update[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](s.t.Context(), s.Client(), synapse.KindTrafficSplit,
			synapse.Draft[synapse.TrafficSplitSpec]{Name: object.Name, Spec: object.Spec}, object.ResourceVersion, client.WriteOptions{})
		if client.HasCode(err, synapse.CodeConflict) {
			return false
		}
		require.NoError(s.t, err)
		return true
	}, time.Minute, 10*time.Millisecond)
}

// act does what an operator does.
func (s *splitStack) act(action synapse.SplitEventType) {
	s.t.Helper()
	_, err := s.Client().SplitAction(s.t.Context(), "login", string(action), synapse.SplitRequest{Reason: "a test"})
	require.NoError(s.t, err)
}

// await waits for a phase and returns the split in it.
func (s *splitStack) await(phase synapse.SplitPhase) *split {
	s.t.Helper()
	return s.awaitState(func(state synapse.SplitState) bool { return state.Phase == phase })
}

// awaitState waits for a state. Asking in this goroutine lets the failure say what the state was instead.
func (s *splitStack) awaitState(reached func(synapse.SplitState) bool) *split {
	s.t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(3 * time.Minute); ; <-ticker.C {
		object := s.get()
		if reached(object.Status.State) {
			return object
		}
		if time.Now().After(deadline) {
			for _, decision := range object.Status.History {
				s.t.Logf("%s %s: %s", decision.Time.Format(time.TimeOnly), decision.Action, decision.Message)
			}
			require.FailNow(s.t, "the split never came to where it should", "%+v", object.Status.State)
		}
	}
}

// answers counts what users got.
type answers struct {
	byBackend map[string]int
	failed    int
	// other are transport errors and what no backend answered: a change of weights must not cause any.
	other []string
}

// load sends requests to the split through the global entry, at a steady rate and for both regions alike, until it is stopped.
type load struct {
	stop chan struct{}
	done sync.WaitGroup
	mu   sync.Mutex
	seen answers
}

// users returns a client that keeps a connection for each worker of a load.
func (s *splitStack) users() *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 20}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// startLoad sends about 200 requests a second to the route /login.
func (s *splitStack) startLoad() *load {
	users := s.users()
	return s.repeat(func(l *load, worker int) {
		l.count(logIn(users, s.EntryURL+"/login", []string{"eu", "us"}[worker%2]))
	})
}

// startSessions checks a session about 200 times a second.
func (s *splitStack) startSessions(tenant, session string) *load {
	users := s.users()
	return s.repeat(func(l *load, _ int) {
		status, err := sessionStatus(context.Background(), users, s.EntryURL, tenant, session)
		l.count(answer{backend: "auth", status: status}, err)
	})
}

// sessionStatus asks whether a session is valid.
func sessionStatus(ctx context.Context, users *http.Client, entry, tenant, session string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, entry+"/auth/session", http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header.Set("X-Synapse-Tenant", tenant)
	request.Header.Set("Authorization", "Bearer "+session)
	response, err := users.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, errors.Join(err, response.Body.Close())
}

// repeat has ten workers do something every 50 ms until the load ends.
func (s *splitStack) repeat(work func(l *load, worker int)) *load {
	l := &load{stop: make(chan struct{}), seen: answers{byBackend: map[string]int{}}}
	for worker := range 10 {
		l.done.Go(func() {
			ticker := time.NewTicker(50 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-l.stop:
					return
				case <-ticker.C:
					work(l, worker)
				}
			}
		})
	}
	s.t.Cleanup(func() { l.end() })
	return l
}

// logIn returns the backend that answered and the status, or an error.
func logIn(users *http.Client, url, region string) (a answer, err error) {
	request, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		return a, err
	}
	request.Header.Set("X-Synapse-Prefer-Region", region)
	response, err := users.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{string(body), response.Header.Get("X-Synapse-Region"), response.StatusCode}, err
}

// answer says who answered, where and how.
type answer struct {
	backend, region string
	status          int
}

func (l *load) count(a answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	backend, status := a.backend, a.status
	switch {
	case err != nil:
		l.seen.other = append(l.seen.other, err.Error())
	case status == http.StatusOK, status == http.StatusInternalServerError && backend == "candidate":
		l.seen.byBackend[backend]++
		if status != http.StatusOK {
			l.seen.failed++
		}
	default:
		l.seen.other = append(l.seen.other, fmt.Sprint(status, " ", backend))
	}
}

// snapshot returns what was seen by now.
func (l *load) snapshot() answers {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen
	seen.byBackend = maps.Clone(seen.byBackend)
	return seen
}

// awaitMore waits for so many more answers.
func (l *load) awaitMore(t *testing.T, more int) {
	t.Helper()
	count := func() (all int) {
		for _, served := range l.snapshot().byBackend {
			all += served
		}
		return all
	}
	wanted := count() + more
	require.Eventually(t, func() bool { return count() >= wanted }, time.Minute, 50*time.Millisecond)
}

// end stops the load and returns all that was seen.
func (l *load) end() answers {
	l.mu.Lock()
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.mu.Unlock()
	l.done.Wait()
	return l.snapshot()
}

// servedBy counts who answers requests to a region. Without affinity each is drawn anew: with the
// weights 100 and 0 all answers are from one backend.
func (s *splitStack) servedBy(region string, requests int) map[string]int {
	s.t.Helper()
	users := &http.Client{Transport: &http.Transport{}}
	defer users.CloseIdleConnections()
	counts := map[string]int{}
	for deadline := time.Now().Add(time.Minute); requests > 0; {
		require.True(s.t, time.Now().Before(deadline), "region %s does not answer", region)
		a, err := logIn(users, s.EntryURL+"/login", region)
		require.NoError(s.t, err)
		require.Contains(s.t, []int{http.StatusOK, http.StatusInternalServerError}, a.status, a.backend)
		if a.region == region { // the entry asks another one while it thinks that this one does not answer
			counts[a.backend]++
			requests--
		}
	}
	return counts
}

package measure_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
)

func backend(name string, regions ...string) measure.SplitBackend {
	return measure.SplitBackend{Split: "login", Backend: name, Regions: regions}
}

func TestSampler(t *testing.T) {
	t.Parallel()
	t.Run("there are no figures before the gateways answered", func(t *testing.T) {
		t.Parallel()
		clock := newClock()
		sampler := newSampler(gateways{"eu": nil}, clock)
		sampler.Sample(t.Context())
		_, err := sampler.Split(t.Context(), backend("new", "eu"), start.Add(-time.Minute), start)
		require.ErrorIs(t, err, measure.ErrNoData)
		_, err = sampler.Service(t.Context(), "auth", start.Add(-time.Minute), start)
		require.ErrorIs(t, err, measure.ErrNoData)
	})
	t.Run("what was before the start is not counted, and figures say since when they are", func(t *testing.T) {
		t.Parallel()
		clock, eu := newClock(), newGateway("eu")
		eu.serve("login", "new", "2xx", 1000, time.Millisecond)
		sampler := newSampler(gateways{"eu": eu}, clock)
		sampler.Sample(t.Context())
		clock.advance(time.Second)
		eu.serve("login", "new", "5xx", 3, 300*time.Millisecond)
		eu.serve("login", "new", "none", 5, 20*time.Second)
		eu.serve("login", "new", "2xx", 7, 2*time.Millisecond)
		sampler.Sample(t.Context())
		traffic, err := sampler.Split(t.Context(), backend("new", "eu"), start.Add(-time.Minute), clock.Now())
		require.NoError(t, err)
		require.Equal(t, start, traffic.Since)
		require.Equal(t, 10.0, traffic.Requests)
		require.Equal(t, 3.0, traffic.Errors)
		require.Equal(t, 10.0, traffic.Timed())
		require.Equal(t, 7.0, traffic.Within(250*time.Millisecond))
		require.Equal(t, 10.0, traffic.Within(500*time.Millisecond))
	})
	t.Run("what a region that joins later has served before is not counted", func(t *testing.T) {
		t.Parallel()
		clock, all := newClock(), gateways{"eu": newGateway("eu"), "us": nil}
		sampler := newSampler(all, clock)
		sampler.Sample(t.Context())
		clock.advance(time.Second)
		all["us"] = newGateway("us")
		all["us"].serve("login", "new", "2xx", 1000, time.Millisecond)
		sampler.Sample(t.Context())
		traffic, err := sampler.Service(t.Context(), "auth", start, clock.Now())
		require.NoError(t, err)
		require.Zero(t, traffic.Requests)
	})
	t.Run("a series that begins while its gateway is watched counts from its first request on", func(t *testing.T) {
		t.Parallel()
		clock, eu := newClock(), newGateway("eu")
		sampler := newSampler(gateways{"eu": eu}, clock)
		sampler.Sample(t.Context())
		clock.advance(time.Second)
		eu.serve("login", "new", "2xx", 4, time.Millisecond)
		sampler.Sample(t.Context())
		traffic, err := sampler.Split(t.Context(), backend("new", "eu"), start, clock.Now())
		require.NoError(t, err)
		require.Equal(t, 4.0, traffic.Requests)
	})
	t.Run("services are summed up over regions and deployments", func(t *testing.T) {
		t.Parallel()
		clock, all := newClock(), gateways{"eu": newGateway("eu"), "us": newGateway("us")}
		sampler := newSampler(all, clock)
		sampler.Sample(t.Context())
		clock.advance(time.Second)
		all["eu"].serve("login", "new", "2xx", 4, time.Millisecond)
		all["us"].serve("login", "old", "5xx", 2, time.Millisecond)
		sampler.Sample(t.Context())
		traffic, err := sampler.Service(t.Context(), "auth", start, clock.Now())
		require.NoError(t, err)
		require.Equal(t, 6.0, traffic.Requests)
		require.Equal(t, 2.0, traffic.Errors)
		inEU, err := sampler.Split(t.Context(), backend("old", "eu"), start, clock.Now())
		require.NoError(t, err)
		require.Zero(t, inEU.Requests)
	})
	t.Run("what is older than a day is forgotten", func(t *testing.T) {
		t.Parallel()
		clock, eu := newClock(), newGateway("eu")
		sampler := newSampler(gateways{"eu": eu}, clock)
		for range 27 * 60 {
			sampler.Sample(t.Context())
			eu.serve("login", "new", "2xx", 1, time.Millisecond)
			clock.advance(time.Minute)
		}
		traffic, err := sampler.Split(t.Context(), backend("new", "eu"), start, clock.Now())
		require.NoError(t, err)
		require.Equal(t, clock.Now().Add(-24*time.Hour), traffic.Since)
		require.InDelta(t, 24*60, traffic.Requests, 2)
	})
}

func TestSamplerRunsUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	clock, eu := newClock(), newGateway("eu")
	sampler := measure.NewSampler(gateways{"eu": eu}.gather, time.Millisecond, time.Now, slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		sampler.Run(ctx)
	}()
	require.Eventually(t, func() bool {
		_, err := sampler.Service(t.Context(), "auth", clock.Now(), time.Now())
		return err == nil
	}, time.Minute, time.Millisecond)
	cancel()
	<-ended
}

// event is what one sample saw: requests since the one before, at a gateway that may have restarted or not answer.
type event struct {
	at           time.Time
	good, failed int
}

func TestTheIncreaseOfAnyWindowIsTheSumOfWhatHappenedInIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock, all := newClock(), gateways{"eu": newGateway("eu")}
		sampler := newSampler(all, clock)
		sampler.Sample(t.Context())
		var events []event
		pending := event{}
		for i := range rapid.IntRange(1, 200).Draw(t, "samples") {
			clock.advance(time.Duration(rapid.IntRange(1, 3000).Draw(t, "pause")) * time.Millisecond)
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 && pending == (event{}) {
				// A gateway that restarted has served less than before when it is sampled: otherwise no one could tell.
				all["eu"] = newGateway("eu")
				sampler.Sample(t.Context())
				events = append(events, event{at: clock.Now()})
				continue
			}
			good, failed := rapid.IntRange(0, 20).Draw(t, "good"), rapid.IntRange(0, 5).Draw(t, "failed")
			all["eu"].serve("login", "new", "2xx", good, time.Millisecond)
			all["eu"].serve("login", "new", "5xx", failed, time.Second)
			pending.good += good
			pending.failed += failed
			if rapid.IntRange(0, 9).Draw(t, "silent") == 0 {
				sampler.Sample(t.Context())
				silent := all["eu"]
				events = append(events, event{clock.Now(), pending.good, pending.failed})
				pending = event{}
				all["eu"] = nil
				clock.advance(time.Second)
				sampler.Sample(t.Context())
				all["eu"] = silent
				continue
			}
			if i%7 == 3 { // the gateway serves more before it is sampled
				continue
			}
			sampler.Sample(t.Context())
			events = append(events, event{clock.Now(), pending.good, pending.failed})
			pending = event{}
		}
		length := int(clock.Now().Sub(start) / time.Millisecond)
		from := rapid.IntRange(0, length).Draw(t, "from")
		to := rapid.IntRange(from, length).Draw(t, "to")
		begin, end := start.Add(time.Duration(from)*time.Millisecond), start.Add(time.Duration(to)*time.Millisecond)
		wantedGood, wantedFailed := 0, 0
		for _, e := range events {
			if e.at.After(begin) && !e.at.After(end) {
				wantedGood += e.good
				wantedFailed += e.failed
			}
		}
		traffic, err := sampler.Split(t.Context(), backend("new", "eu"), begin, end)
		require.NoError(t, err)
		require.Equal(t, float64(wantedGood+wantedFailed), traffic.Requests)
		require.Equal(t, float64(wantedFailed), traffic.Errors)
		require.Equal(t, float64(wantedGood), traffic.Within(time.Millisecond))
		service, err := sampler.Service(t.Context(), "auth", begin, end)
		require.NoError(t, err)
		require.Equal(t, traffic.Requests, service.Requests)
	})
}

func TestARestartedGatewayCountsFromZero(t *testing.T) {
	t.Parallel()
	clock, all := newClock(), gateways{"eu": newGateway("eu")}
	sampler := newSampler(all, clock)
	sampler.Sample(t.Context())
	all["eu"].serve("login", "new", "2xx", 100, time.Millisecond)
	clock.advance(time.Second)
	sampler.Sample(t.Context())
	all["eu"] = newGateway("eu")
	// More errors than before, and fewer requests: the errors are not 9-0 of the same process.
	all["eu"].serve("login", "new", "5xx", 9, time.Millisecond)
	clock.advance(time.Second)
	sampler.Sample(t.Context())
	traffic, err := sampler.Split(t.Context(), backend("new", "eu"), start, clock.Now())
	require.NoError(t, err)
	require.Equal(t, 109.0, traffic.Requests)
	require.Equal(t, 9.0, traffic.Errors)
}

func TestTheLastDayIsKeptMoreCoarsely(t *testing.T) {
	t.Parallel()
	clock, eu := newClock(), newGateway("eu")
	sampler := newSampler(gateways{"eu": eu}, clock)
	sampler.Sample(t.Context())
	for range 3600 {
		clock.advance(time.Second)
		eu.serve("login", "new", "2xx", 1, time.Millisecond)
		sampler.Sample(t.Context())
	}
	now := clock.Now()
	for _, ago := range []time.Duration{time.Second, time.Minute, 9 * time.Minute, 10 * time.Minute, 11 * time.Minute, 40 * time.Minute, time.Hour} {
		t.Run(fmt.Sprintf("over %s", ago), func(t *testing.T) {
			tolerance := 0.0
			if ago > 10*time.Minute {
				tolerance = 15
			}
			traffic, err := sampler.Split(t.Context(), backend("new", "eu"), now.Add(-ago), now)
			require.NoError(t, err)
			require.InDelta(t, ago.Seconds(), traffic.Requests, tolerance)
		})
	}
}

package recovery

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// kill kills all of a region again and again, as it comes back, until ctx ends: what is lost stays lost.
func (s *stack) kill(ctx context.Context, region string) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		for _, pid := range s.pidsOf(region) {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *stack) awaitActive(region string) *policy {
	s.t.Helper()
	s.await("region "+region+" is active", func(context.Context) (bool, string) {
		p := s.corePolicy()
		return p.Status.ActiveRegion == region && p.Status.Transition == nil, p.Status.Message()
	})
	return s.corePolicy()
}

// TestARegionThatIsKilledFailsOverByItself kills the region's processes for real. Nobody runs Terraform, and nobody asks.
func TestARegionThatIsKilledFailsOverByItself(t *testing.T) {
	s := newStack(t)
	spec := policySpec()
	spec.Mode = synapse.FailoverAutomatic
	s.policy(spec)
	u := s.use()
	s.await("users are served", func(context.Context) (bool, string) {
		u.mu.Lock()
		defer u.mu.Unlock()
		return len(u.acked) > 50, fmt.Sprint(len(u.acked), " writes")
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	killing := make(chan struct{})
	go func() {
		defer close(killing)
		s.kill(ctx, "eu")
	}()
	p := s.awaitActive("us")
	stop()
	<-killing
	last := p.Status.LastTransition()
	require.Equal(t, synapse.TriggerAutomatic, last.Trigger)
	require.Equal(t, synapse.TransitionCompleted, last.Phase, last.Message)
	s.await("users write again", func(context.Context) (bool, string) {
		return u.lost(s) == 0, "writes are missing"
	})

	// The old primary comes back as a standby, and within the cooldown nothing fails over by itself.
	s.await("the old primary follows the new one", func(ctx context.Context) (bool, string) {
		region, err := client.Get[synapse.RegionSpec, synapse.RegionStatus](ctx, s.Client(), synapse.Key{Kind: synapse.KindRegion, Name: "eu"})
		if err != nil {
			return false, err.Error()
		}
		return region.Status.DatabaseRole == synapse.DatabaseStandby && region.Status.Health == "healthy", region.Status.Message()
	})
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	again := make(chan struct{})
	go func() {
		defer close(again)
		s.kill(ctx, "us")
	}()
	s.await("the policy says that it holds back", func(context.Context) (bool, string) {
		p := s.corePolicy()
		return p.Status.Condition(synapse.ConditionReady).Reason == "Held", p.Status.Message()
	})
	require.Len(t, s.corePolicy().Status.History, 1)
	stop()
	<-again
}

// TestTwoDatabasesNeverAcceptWrites cuts a region off, and tries to write to both servers all the time, directly. Where clients
// reach both regions and only the regions do not reach each other, nothing fails over; where nobody reaches the region, the
// other one takes over, and the first one takes no write any more although its clients would still reach its server.
func TestTwoDatabasesNeverAcceptWrites(t *testing.T) {
	for _, test := range []struct {
		method      synapse.LossMethod
		hold        synapse.Duration
		transitions int
	}{
		{synapse.LossPartition, "50s", 0},
		{synapse.LossBlackHole, "10s", 2},
	} {
		t.Run(string(test.method), func(t *testing.T) {
			s := newStack(t)
			spec := policySpec()
			// With synchronous replication, writes would wait during a partition, and nothing would be tried.
			spec.Mode, spec.Replication, spec.Objectives.RPO = synapse.FailoverAutomatic, synapse.ReplicationAsynchronous, "10s"
			s.policy(spec)
			cut := drillSpec(synapse.ScenarioRegionLoss)
			cut.Scenario.Method, cut.Scenario.Hold = test.method, test.hold
			s.drill("cut", cut)
			accepted := s.writeToBoth(func() {
				s.begin("cut", "first")
				r := s.end("first")
				require.NotNil(t, r.Status.FaultAt, r.Status.Message)
				require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
			})
			require.Len(t, s.corePolicy().Status.History, test.transitions)
			require.NotZero(t, accepted["eu"])
			require.Equal(t, test.transitions > 0, accepted["us"] > 0, "the other region took writes after a failover, and only then")
		})
	}
}

// writeToBoth tries to write to the servers of both regions every 5 ms while something goes on, for a minute at least, and returns how
// many writes each accepted. It fails when the servers take turns more often than there were transitions.
func (s *stack) writeToBoth(during func()) map[string]int {
	s.t.Helper()
	s.query("CREATE TABLE public.split_brain (region text, at timestamptz)")
	ctx, stop := context.WithCancel(s.t.Context())
	defer stop()
	answers := make(chan string, 1<<16)
	var trying sync.WaitGroup
	for _, region := range []string{"eu", "us"} {
		found, err := client.Get[synapse.RegionSpec, synapse.RegionStatus](s.t.Context(), s.Client(), synapse.Key{Kind: synapse.KindRegion, Name: region})
		require.NoError(s.t, err)
		url := s.adminURL(fmt.Sprintf("127.0.0.1:%d", found.Status.DatabasePort))
		trying.Go(func() {
			w := writer{url: url}
			defer w.hangUp()
			ticker := time.NewTicker(5 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
				if w.try(ctx, region) {
					answers <- region
				}
			}
		})
	}
	least := time.NewTimer(time.Minute)
	defer least.Stop()
	during()
	<-least.C
	stop()
	trying.Wait()
	close(answers)
	accepted, turns, last := map[string]int{}, 0, ""
	for region := range answers {
		accepted[region]++
		if last != "" && last != region {
			turns++
		}
		last = region
	}
	s.t.Logf("accepted writes: %v, in %d turns", accepted, turns)
	require.LessOrEqual(s.t, turns, len(s.corePolicy().Status.History), "a server took writes after the other one had taken over")
	return accepted
}

// writer writes to one server, through one connection for as long as that lasts: to connect takes both sides more than to write. A
// standby refuses the writes, and takes them through the same connection once it is the primary.
type writer struct {
	url  string
	conn *pgx.Conn
}

func (w *writer) try(ctx context.Context, region string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if w.conn == nil || w.conn.IsClosed() {
		var err error
		if w.conn, err = pgx.Connect(ctx, w.url); err != nil {
			return false
		}
	}
	_, err := w.conn.Exec(ctx, "INSERT INTO public.split_brain VALUES ($1, clock_timestamp())", region)
	return err == nil
}

func (w *writer) hangUp() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = w.conn.Close(ctx)
}

package recovery

import (
	"context"
	"fmt"
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
		for _, pids := range s.pidsOf(region) {
			for _, pid := range pids {
				_ = syscall.Kill(-pid, syscall.SIGKILL)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
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
		before := u.writes.answered
		return before > 0 && u.lost(s) == 0, "writes are missing"
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

// TestTwoDatabasesNeverAcceptWrites cuts the regions off from each other, while clients reach both, and has somebody fail over
// in the middle. It tries to write to both servers all the time.
func TestTwoDatabasesNeverAcceptWrites(t *testing.T) {
	s := newStack(t)
	spec := policySpec()
	spec.Mode = synapse.FailoverAutomatic
	s.policy(spec)
	s.query("CREATE TABLE public.split_brain (region text, at timestamptz)")
	addresses := map[string]string{}
	for _, region := range []string{"eu", "us"} {
		found, err := client.Get[synapse.RegionSpec, synapse.RegionStatus](t.Context(), s.Client(), synapse.Key{Kind: synapse.KindRegion, Name: region})
		require.NoError(t, err)
		addresses[region] = fmt.Sprintf("127.0.0.1:%d", found.Status.DatabasePort)
	}
	// Each server is asked to write again and again; an answer says when it was certainly willing.
	type span struct{ from, to time.Time }
	accepted := map[string]chan span{"eu": make(chan span, 1<<16), "us": make(chan span, 1<<16)}
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	done := make(chan struct{}, 2)
	for region, address := range addresses {
		url := s.adminURL(address)
		go func() {
			defer func() { done <- struct{}{} }()
			for ctx.Err() == nil {
				from := time.Now()
				if tryWrite(ctx, url, region) {
					accepted[region] <- span{from, time.Now()}
				}
			}
		}()
	}
	spec2 := drillSpec(synapse.ScenarioRegionLoss)
	spec2.Scenario.Method = synapse.LossBlackHole
	s.drill("cut", spec2)
	s.begin("cut", "first")
	r := s.end("first")
	require.NotNil(t, r.Status.FaultAt, r.Status.Message)
	<-done
	<-done
	close(accepted["eu"])
	close(accepted["us"])
	var eu, us []span
	for sp := range accepted["eu"] {
		eu = append(eu, sp)
	}
	for sp := range accepted["us"] {
		us = append(us, sp)
	}
	require.NotEmpty(t, eu)
	require.NotEmpty(t, us, "the failover happened: %s", r.Status.Message)
	// Writes that were accepted by both must not overlap, nor alternate more often than there were transitions.
	changes := 0
	i, j := 0, 0
	last := ""
	for i < len(eu) || j < len(us) {
		next := "eu"
		if i == len(eu) || j < len(us) && us[j].to.Before(eu[i].to) {
			next = "us"
		}
		if last != "" && last != next {
			changes++
		}
		if last = next; next == "eu" {
			i++
		} else {
			j++
		}
	}
	require.LessOrEqual(t, changes, len(s.corePolicy().Status.History), "a server took writes after the other one had taken over")
	t.Logf("eu took %d writes, us %d, in %d changes", len(eu), len(us), changes)
}

func tryWrite(ctx context.Context, url, region string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "INSERT INTO public.split_brain VALUES ($1, clock_timestamp())", region)
	return err == nil
}

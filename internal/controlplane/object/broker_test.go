package object_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func key(name string) synapse.Key { return synapse.Key{Kind: synapse.KindTenant, Name: name} }

func TestBroker(t *testing.T) {
	t.Parallel()
	t.Run("a change before the wait is not lost, and several are one", func(t *testing.T) {
		broker := object.NewBroker()
		wake, stop := broker.Watch(key("a"))
		defer stop()
		broker.Publish(key("a"))
		broker.Publish(key("a"))
		<-wake
		require.Empty(t, wake)
	})
	t.Run("a change of another object wakes nobody", func(t *testing.T) {
		broker := object.NewBroker()
		wake, stop := broker.Watch(key("a"))
		defer stop()
		broker.Publish(key("b"))
		require.Empty(t, wake)
	})
	t.Run("who stopped is not told, and others still are", func(t *testing.T) {
		broker := object.NewBroker()
		first, stopFirst := broker.Watch(key("a"))
		second, stopSecond := broker.Watch(key("a"))
		defer stopSecond()
		stopFirst()
		broker.Publish(key("a"))
		require.Empty(t, first)
		<-second
	})
	t.Run("a subscriber hears of every key until it stops", func(t *testing.T) {
		broker := object.NewBroker()
		var heard []string
		stop := broker.Subscribe(func(k synapse.Key) { heard = append(heard, k.Name) })
		broker.Publish(key("a"))
		broker.Publish(key("b"))
		stop()
		broker.Publish(key("c"))
		require.Equal(t, []string{"a", "b"}, heard)
	})
	t.Run("all of it at once is safe", func(t *testing.T) {
		broker := object.NewBroker()
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for range 100 {
					wake, stop := broker.Watch(key("a"))
					stopListening := broker.Subscribe(func(synapse.Key) {})
					broker.Publish(key("a"))
					<-wake
					stopListening()
					stop()
				}
			})
		}
		group.Wait()
	})
}

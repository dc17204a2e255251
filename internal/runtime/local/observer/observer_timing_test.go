package observer

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

func TestAnObserverNoticesWithinTwoIntervals(t *testing.T) {
	t.Parallel()
	eu := newGateway(t, "eu")
	database := newDatabase(t)
	o := New(Options{Name: "test", Faults: netfault.NewTable(time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	// So long that a probe does not come by chance, and that a machine that is busy is not taken for a failure.
	o.interval = 3 * time.Second
	o.Watch([]Target{{Region: "eu", Gateway: eu.address(), Database: database.Addr().String()}})
	run(t, o)
	becomes(t, o, "eu", runtime.ComponentGateway, true)
	becomes(t, o, "eu", runtime.ComponentDatabase, true)
	died := time.Now()
	eu.Close()
	database.kill()
	for _, component := range []runtime.Component{runtime.ComponentGateway, runtime.ComponentDatabase} {
		seen := becomes(t, o, "eu", component, false)
		require.False(t, seen.Since.Before(died))
		require.Less(t, seen.Since.Sub(died), 2*o.interval, "%s", component)
	}
}

package observer

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

// BenchmarkProbe shows what looking costs, to the observer and to what it looks at.
func BenchmarkProbe(b *testing.B) {
	o := New(Options{Faults: netfault.NewTable(time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	_, rest, _ := strings.Cut(pgservertest.Start(b), "@")
	database, _, _ := strings.Cut(rest, "/")
	for _, s := range []subject{
		{"eu", runtime.ComponentGateway, newGateway(b, "eu").address()}, {"eu", runtime.ComponentDatabase, database},
	} {
		b.Run(string(s.component), func(b *testing.B) {
			for b.Loop() {
				wire, err := o.probe(b.Context(), s)
				require.NoError(b, err)
				wire.remove()
			}
		})
	}
}

package local

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

func TestALostGatewayComesBackWithWhatIsWantedByThen(t *testing.T) {
	t.Parallel()
	monolith := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(monolith.Close)
	f := newFixture(t)
	stopEU := f.run(t, "eu")
	f.run(t, "us")
	f.know("eu")
	f.know("us")
	require.NoError(t, f.EnsureSplit(t.Context(), split(monolith.URL, 0)))
	require.NoError(t, f.StartFault(t.Context(), loss("drill", time.Hour)))
	stopEU() // it runs in this process, and the fault has killed its stand-in

	require.NoError(t, f.EnsureSplit(t.Context(), split(monolith.URL, 42)), "it is served by all that serve")
	content, err := os.ReadFile(f.configFile(gatewayID("eu")))
	require.NoError(t, err)
	var kept gateway.Config
	require.NoError(t, json.Unmarshal(content, &kept))
	require.Equal(t, 42, kept.Splits[0].Backends["next"].Weight)

	require.NoError(t, f.EndFault(t.Context(), "drill"))
	require.ErrorContains(t, f.EnsureSplit(t.Context(), split(monolith.URL, 43)), "configuring the gateway of region eu",
		"one that is about to come back is waited for")
}

func TestAGatewayThatIsNotKnownYetKeepsNothingFromTheOthers(t *testing.T) {
	t.Parallel()
	monolith := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(monolith.Close)
	f := newFixture(t)
	f.run(t, "eu")
	f.run(t, "us")
	f.know("us")
	require.ErrorContains(t, f.EnsureSplit(t.Context(), split(monolith.URL, 0)), "the gateway of region eu is not ready yet")
	require.Equal(t, http.StatusTeapot, f.status(t, "us"))
}

// openReal opens a runtime whose gateways and databases are real.
func openReal(t *testing.T) *Runtime {
	dir := pgservertest.Dir(t)
	program, err := os.Executable()
	require.NoError(t, err)
	entryPort, err := ports.Free()
	require.NoError(t, err)
	databasePort, err := ports.Free(entryPort)
	require.NoError(t, err)
	r, err := Open(Options{
		Dir: dir, EntryAddress: loopback(entryPort), DatabaseAddress: loopback(databasePort), Program: program,
		Keychain: authn.DefaultKeychain, RegionChanged: func(string) {}, WorkloadChanged: func(runtime.WorkloadKey) {},
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	r.Start(nil, nil, nil)
	t.Cleanup(func() {
		require.NoError(t, r.Close())
		_, err := Down(context.WithoutCancel(t.Context()), dir, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
	})
	return r
}

package api_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// removeObject takes an object out of the store, as a reconciler does at the end of a deletion.
func removeObject(s *service, meta synapse.Meta) error {
	return object.Remove(context.Background(), s.backend, meta.Key(), meta.UID)
}

// preflightOf is a preflight check that counts its calls, and knows all images but the one called missing.
func preflightOf(calls *int) func(context.Context, synapse.Meta, *synapse.DeploymentSpec) []synapse.FieldError {
	return func(_ context.Context, _ synapse.Meta, spec *synapse.DeploymentSpec) []synapse.FieldError {
		*calls++
		if spec.Image == "missing" {
			return []synapse.FieldError{{Pointer: "/spec/image", Code: synapse.CodeInvalid, Message: "can not be pulled"}}
		}
		return nil
	}
}

// serve runs a server on loopback until the test ends, and returns its address.
func serve(t *testing.T, server *http.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	group.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		group.Wait()
	})
	return listener.Addr().String()
}

// How long a test waits for what happens beside the answers, and how often it looks.
const (
	waitLimit = 10 * time.Second
	waitStep  = time.Millisecond
)

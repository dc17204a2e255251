package test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// TestTheDaemonIsKilledDuringApplies kills the control plane again and again at different moments of an apply, each of
// which adds tenants and rolls the deployment over. After a restart the next apply converges, whatever the moment was.
func TestTheDaemonIsKilledDuringApplies(t *testing.T) {
	t.Parallel()
	d, w := stack(t, "test/testdata/crash")
	// The moments are counted in requests, which are about the same on a slow machine and on a fast one.
	moments := []int32{2, 14, 8, 11, 5, 17}
	for round, moment := range moments {
		tenants := round + 1
		release := "-var=release=" + strconv.Itoa(round)
		gate := newGate(t, d.Endpoint, moment)
		w.Env["SYNAPSE_ENDPOINT"] = gate.url
		var output bytes.Buffer
		apply := w.Command(t.Context(), "apply", "-input=false", "-auto-approve", "-no-color", tenantsVar(tenants), release)
		apply.Stdout, apply.Stderr = &output, &output
		require.NoError(t, apply.Start())
		finished := make(chan error, 1)
		go func() { finished <- apply.Wait() }()
		killed := false
		select {
		case <-gate.reached:
			killed = true
			d.Kill()
			d.Restart()
			err := <-finished
			t.Logf("round %d: killed at request %d; the apply then ended with %v", round, moment, err)
		case err := <-finished:
			t.Logf("round %d: the apply ended with %v", round, err)
		}
		require.True(t, killed, "round %d ends before request %d, so nothing was tested:\n%s", round, moment, &output)

		w.Env["SYNAPSE_ENDPOINT"] = d.Endpoint
		w.Run(t, "apply", "-input=false", "-auto-approve", tenantsVar(tenants), release)
		w.Env["TF_VAR_tenants"], w.Env["TF_VAR_release"] = strconv.Itoa(tenants), strconv.Itoa(round)
		requireConverged(t, d, w, tenants)
	}
	w.Run(t, "destroy", "-input=false", "-auto-approve")
	require.Empty(t, d.Processes(), "no orphan is left")
	for object, times := range created(t, d) {
		require.Equal(t, 1, times, "%s was created more than once", object)
	}
}

// TestTerraformIsKilledRightAfterACreate kills Terraform when the server has created a tenant and Terraform does not know.
func TestTerraformIsKilledRightAfterACreate(t *testing.T) {
	t.Parallel()
	d := synapsedtest.Start(t)
	const config = `
terraform {
  required_providers {
    synapse = { source = "apex-innovations/synapse" }
  }
}

resource "synapse_service" "auth" {
  name = "auth"
}
`
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	target, err := url.Parse(d.Endpoint)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(response *http.Response) error {
		if response.Request.Method == http.MethodPost && response.StatusCode == http.StatusCreated {
			// SIGKILL before the answer is on its way, which then waits until the connection is gone.
			kill()
			<-response.Request.Context().Done()
		}
		return nil
	}
	server := httptest.NewServer(proxy)
	defer server.Close()
	w := synapsedtest.NewWorkspace(t, d, server.URL, map[string]string{"main.tf": config})
	apply := w.Command(ctx, "apply", "-input=false", "-auto-approve")
	// The provider goes with Terraform: it would wait for ever for one that is not there any more.
	apply.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	apply.Cancel = func() error { return syscall.Kill(-apply.Process.Pid, syscall.SIGKILL) }
	require.Error(t, apply.Run())
	require.Equal(t, []string{"service auth"}, objects(t, d))
	require.Empty(t, inState(t, w))

	w.Env["SYNAPSE_ENDPOINT"] = d.Endpoint
	output, err := w.Try(t.Context(), "apply", "-input=false", "-auto-approve")
	require.Error(t, err, "a second service must not be made, and the first not be taken over unasked")
	block := regexp.MustCompile(`(?s)import \{.*?\n\s*\}`).FindString(output)
	require.NotEmpty(t, block, "the error shows how to go on:\n%s", output)
	block = strings.ReplaceAll(block, "synapse_service.example", "synapse_service.auth")

	require.NoError(t, os.WriteFile(filepath.Join(w.Dir, "import.tf"), []byte(block+"\n"), 0o600))
	w.Run(t, "apply", "-input=false", "-auto-approve")
	require.Equal(t, []string{"service auth"}, inState(t, w))
	require.Equal(t, []string{"service auth"}, objects(t, d))
	require.Equal(t, map[string]int{"/v1/services/auth": 1}, created(t, d))
}

// gate forwards requests and tells when a number of them has come.
type gate struct {
	url     string
	reached chan struct{}
}

func newGate(t *testing.T, endpoint string, moment int32) *gate {
	t.Helper()
	g := &gate{reached: make(chan struct{})}
	target, err := url.Parse(endpoint)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.ErrorHandler = func(response http.ResponseWriter, _ *http.Request, _ error) { cutOff(response) }
	var count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if count.Add(1) == moment {
			close(g.reached)
		}
		proxy.ServeHTTP(response, request)
	}))
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// cutOff ends the connection without an answer.
func cutOff(response http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(response).Hijack(); err == nil {
		_ = connection.Close()
	}
}

package test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// TestAnUpdateUnderLoadFailsNoRequest rolls a deployment over three times while clients send requests without a pause,
// the control plane being killed in the middle of the second time.
func TestAnUpdateUnderLoadFailsNoRequest(t *testing.T) {
	t.Parallel()
	d, w := stack(t, "test/testdata/crash")
	w.Run(t, "apply", "-input=false", "-auto-approve", "-var=release=first")

	load, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var sent atomic.Int64
	failures := make(chan string, 100)
	for range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			for load.Err() == nil {
				sent.Add(1)
				if failure := send(load, client, d); failure != "" && load.Err() == nil {
					select {
					case failures <- failure:
					default:
					}
				}
			}
		})
	}
	for round := range 3 {
		if round == 1 {
			d.Kill()
			d.Restart()
		}
		w.Run(t, "apply", "-input=false", "-auto-approve", "-var=release="+strconv.Itoa(round))
		_, header, _ := request(t, http.MethodGet, d.EntryURL+"/auth/healthz", "", "")
		require.Equal(t, strconv.Itoa(round), header.Get("X-Service-Version"), "the new version answers")
	}
	stop()
	clients.Wait()
	close(failures)
	for failure := range failures {
		t.Error(failure)
	}
	t.Logf("%d requests were sent", sent.Load())
	require.Greater(t, sent.Load(), int64(500))
}

// send sends one request through the global entry and says how it failed.
func send(ctx context.Context, client *http.Client, d *synapsedtest.Daemon) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.EntryURL+"/auth/healthz", http.NoBody)
	if err != nil {
		return err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Sprint(response.Status, " ", string(body), err)
	}
	return ""
}

package test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// wanted is what testdata/crash makes with a number of tenants of each isolation.
func wanted(tenants int) []string {
	ids := []string{"region eu", "region us", "service auth", "service_deployment auth/v1"}
	for _, isolation := range []string{"pool", "bridge", "silo"} {
		for n := range tenants {
			ids = append(ids, fmt.Sprintf("tenant %s-%d", isolation, n))
		}
	}
	slices.Sort(ids)
	return ids
}

// requireConverged checks that the control plane, the state and the machine have each wanted object exactly once.
func requireConverged(t *testing.T, d *synapsedtest.Daemon, w *synapsedtest.Workspace, tenants int) {
	t.Helper()
	direct := w.Env["SYNAPSE_ENDPOINT"]
	w.Env["SYNAPSE_ENDPOINT"] = d.Endpoint
	defer func() { w.Env["SYNAPSE_ENDPOINT"] = direct }()

	require.ElementsMatch(t, wanted(tenants), objects(t, d), "the control plane has each object once")
	require.ElementsMatch(t, wanted(tenants), inState(t, w), "the state has each object once")
	output, err := w.Try(t.Context(), "plan", "-input=false", "-detailed-exitcode")
	require.NoError(t, err, "the plan after the apply is empty:\n%s", output)
	requireProcesses(t, d)
	for _, id := range wanted(tenants) {
		if name, isTenant := strings.CutPrefix(id, "tenant "); isTenant {
			status, _, body := request(t, http.MethodGet, d.EntryURL+"/auth/healthz", name, "")
			require.Equal(t, http.StatusOK, status, "tenant %s is served: %s", name, body)
		}
	}
}

// requireProcesses checks that everything that should run does, exactly once.
func requireProcesses(t *testing.T, d *synapsedtest.Daemon) {
	t.Helper()
	counts := map[string]int{}
	found := map[string]bool{}
	processes := d.Processes()
	for _, process := range processes {
		pid, _, _ := strings.Cut(process, " ")
		found[pid] = true
	}
	for _, process := range processes {
		pid, line, _ := strings.Cut(process, " ")
		// A server's child looks like the server until somebody has logged in, and may be gone by now.
		if parent := parentOf(pid); parent == "" || found[parent] {
			continue
		}
		switch {
		case strings.Contains(line, "synapsed gateway"):
			counts["gateway"]++
		case strings.Contains(line, "synapsed entry"):
			counts["entry"]++
		case strings.Contains(line, "postgres -D") || strings.Contains(line, "bin/postgres"):
			counts["postgres"]++
		case strings.HasPrefix(line, "postgres:"): // a server's own child
		default:
			counts["replica"]++
		}
	}
	require.Equal(t, map[string]int{"gateway": 2, "entry": 1, "postgres": 2, "replica": 3}, counts, "%s", strings.Join(processes, "\n"))
}

// parentOf returns the process id of a process's parent, or "" when it has ended.
func parentOf(pid string) string {
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	_, after, _ := strings.Cut(string(status), "\nPPid:\t")
	parent, _, _ := strings.Cut(after, "\n")
	return parent
}

// objects lists what the control plane has, those on their way out included.
func objects(t *testing.T, d *synapsedtest.Daemon) []string {
	t.Helper()
	var ids []string
	for _, info := range synapse.Kinds() {
		for object, err := range client.List[json.RawMessage, json.RawMessage](t.Context(), d.Client(), info.Kind, client.ListOptions{}) {
			require.NoError(t, err)
			ids = append(ids, string(info.Kind)+" "+object.Key().ID())
		}
	}
	return ids
}

// inState lists what Terraform's state has.
func inState(t *testing.T, w *synapsedtest.Workspace) []string {
	t.Helper()
	var state struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Type   string
					Values struct{ ID string }
				}
			} `json:"root_module"`
		}
	}
	output, err := w.Command(context.WithoutCancel(t.Context()), "show", "-json").Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(output, &state))
	var ids []string
	for _, r := range state.Values.RootModule.Resources {
		ids = append(ids, strings.TrimPrefix(r.Type, "synapse_")+" "+r.Values.ID)
	}
	return ids
}

// created counts how often each object was created, from the audit record.
func created(t *testing.T, d *synapsedtest.Daemon) map[string]int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.Endpoint+"/v1/audit?limit=1000", http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+d.Token)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var list struct {
		Items []struct{ Action, Object string }
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
	counts := map[string]int{}
	for _, entry := range list.Items {
		if entry.Action == "create" {
			counts[entry.Object]++
		}
	}
	return counts
}

func tenantsVar(n int) string { return "-var=tenants=" + strconv.Itoa(n) }

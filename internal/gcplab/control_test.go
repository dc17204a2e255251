package gcplab

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

func TestALabIsLookedIntoThroughItsClient(t *testing.T) {
	l := newLab(t)
	server := httptest.NewServer(l.handler)
	defer server.Close()
	client := Client{URL: server.URL, Token: testToken}
	all(subnet, key("europe-west1"), primary)(l)

	items, err := client.Inventory(t.Context())
	require.NoError(t, err)
	found := map[string]Item{}
	for _, item := range items {
		found[item.Name] = item
	}
	assert.Equal(t, Item{Name: "compute.googleapis.com/projects/test-project/global/networks/main", Kind: "compute.networks", Location: "global"}, found["compute.googleapis.com/projects/test-project/global/networks/main"])
	assert.Equal(t, Item{Name: "compute.googleapis.com/projects/test-project/regions/europe-west1/subnetworks/europe", Kind: "compute.subnetworks", Location: "europe-west1", State: "READY"},
		found["compute.googleapis.com/projects/test-project/regions/europe-west1/subnetworks/europe"])
	assert.Equal(t, Item{Name: "cloudkms.googleapis.com/projects/test-project/locations/europe-west1/keyRings/ring", Kind: "cloudkms.projects.locations.keyRings", Location: "europe-west1", Permanent: true},
		found["cloudkms.googleapis.com/projects/test-project/locations/europe-west1/keyRings/ring"])
	assert.Equal(t, Item{Name: "sqladmin.googleapis.com/projects/test-project/instances/one", Kind: "sql.instances", Location: "europe-west1", State: "RUNNABLE"},
		found["sqladmin.googleapis.com/projects/test-project/instances/one"])

	requests, err := client.Requests(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, requests)
	assert.Equal(t, "compute.networks.insert", requests[0].Method)

	require.NoError(t, client.Inject(t.Context(), engine.Fault{Method: "compute.networks.get", Status: 503}))
	assert.Equal(t, 503, l.do(get, computeAPI+"global/networks/main", "").code)
	require.NoError(t, client.ClearFaults(t.Context()))
	assert.Equal(t, 200, l.do(get, computeAPI+"global/networks/main", "").code)
}

func TestTheClientSaysWhatIsWrong(t *testing.T) {
	l := newLab(t)
	server := httptest.NewServer(l.handler)
	assert.ErrorContains(t, Client{URL: server.URL, Token: testToken}.Inject(t.Context(), engine.Fault{Method: "["}), "no pattern of method ids")
	_, err := Client{URL: server.URL, Token: "another"}.Inventory(t.Context())
	assert.ErrorContains(t, err, "401")
	server.Close()
	_, err = Client{URL: server.URL, Token: testToken}.Requests(t.Context())
	assert.ErrorContains(t, err, "is it running?")
}

func TestTheControlOfALabNeedsItsTokenAndRightBodies(t *testing.T) {
	l := newLab(t)
	for _, test := range []struct {
		name, token, method, path, body string
		code                            int
	}{
		{"no token", "", get, "_lab/inventory", "", 401},
		{"a quota", testToken, post, "_lab/quotas", `{"collection": "compute.networks", "limit": 0}`, 200},
		{"a quota with a field that does not exist", testToken, post, "_lab/quotas", `{"colour": 1}`, 400},
		{"a fault that is no JSON", testToken, post, "_lab/faults", `{`, 400},
		{"what there is not", testToken, get, "_lab/weather", "", 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), test.method, "/"+test.path, strings.NewReader(test.body))
			request.Header.Set("Authorization", "Bearer "+test.token)
			recorder := httptest.NewRecorder()
			l.handler.ServeHTTP(recorder, request)
			assert.Equal(t, test.code, recorder.Code)
		})
	}
	assert.Equal(t, http.StatusForbidden, l.do(post, computeAPI+"global/networks", `{"name": "main"}`).code)
}

func TestTheInventoryIsPrintedByRegion(t *testing.T) {
	var text strings.Builder
	require.NoError(t, WriteInventory(&text, []Item{
		{Name: "a/instances/one", Kind: "sql.instances", Location: "europe-west1", State: "RUNNABLE"},
		{Name: "a/networkEndpointGroups/pods", Kind: "compute.networkEndpointGroups", Location: "europe-west1-b"},
		{Name: "a/serviceAccounts/deployer", Kind: "iam.projects.serviceAccounts"},
		{Name: "a/networks/main", Kind: "compute.networks", Location: "global"},
	}))
	var lines []string
	for line := range strings.Lines(text.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	assert.Equal(t, []string{"europe-west1", "networkEndpointGroups pods in europe-west1-b", "instances one RUNNABLE", "global", "networks main", "serviceAccounts deployer"}, lines)
}

func TestTheEnvironmentPointsEveryServiceToTheLab(t *testing.T) {
	variables := Environment("http://127.0.0.1:8900", "secret")
	assert.Equal(t, "secret", variables["GOOGLE_OAUTH_ACCESS_TOKEN"])
	assert.Equal(t, "http://127.0.0.1:8900/compute.googleapis.com/compute/v1/", variables["GOOGLE_COMPUTE_CUSTOM_ENDPOINT"])
	for name, value := range variables {
		if name != "GOOGLE_OAUTH_ACCESS_TOKEN" {
			assert.True(t, strings.HasPrefix(value, "http://127.0.0.1:8900/") && strings.HasSuffix(value, "/"), "%s is %s", name, value)
		}
	}
}

func TestWithoutDocumentsThereIsNoLab(t *testing.T) {
	_, err := LoadDocuments(t.TempDir())
	assert.ErrorContains(t, err, "discovery document of compute v1")
}

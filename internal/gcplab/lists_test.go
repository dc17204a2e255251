package gcplab_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/gcplabtest"
)

// ask sends a request to a lab and returns the answer, which must not be an error.
func ask(t *testing.T, lab *gcplabtest.Lab, method, path, body string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, lab.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+gcplabtest.Token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.Equal(t, http.StatusOK, response.StatusCode, "%v", answer)
	return answer
}

func TestAnAggregatedListHasWhatIsInAllPlacesPageByPage(t *testing.T) {
	t.Parallel()
	lab := gcplabtest.Start(t, 0)
	const project = "/compute.googleapis.com/compute/v1/projects/" + gcplabtest.ProjectID
	for path, name := range map[string]string{"/global/addresses": "one", "/regions/us-east4/addresses": "two", "/regions/europe-west1/addresses": "three"} {
		ask(t, lab, http.MethodPost, project+path, `{"name": "`+name+`"}`)
	}
	names := map[string]string{}
	token, pages := "", 0
	for {
		page := ask(t, lab, http.MethodGet, project+"/aggregated/addresses?maxResults=2&pageToken="+token, "")
		for place, scoped := range page["items"].(map[string]any) {
			for _, address := range scoped.(map[string]any)["addresses"].([]any) {
				names[address.(map[string]any)["name"].(string)] = place
			}
		}
		pages++
		token, _ = page["nextPageToken"].(string)
		if token == "" {
			break
		}
	}
	require.Equal(t, 2, pages)
	require.Equal(t, map[string]string{"one": "global", "two": "regions/us-east4", "three": "regions/europe-west1"}, names)
}

func TestALocationMayBeAny(t *testing.T) {
	t.Parallel()
	lab := gcplabtest.Start(t, 0)
	const project = "/cloudkms.googleapis.com/v1/projects/" + gcplabtest.ProjectID
	for _, location := range []string{"us-east4", "europe-west1"} {
		ask(t, lab, http.MethodPost, project+"/locations/"+location+"/keyRings?keyRingId=ring", "{}")
	}
	require.Len(t, ask(t, lab, http.MethodGet, project+"/locations/-/keyRings", "")["keyRings"], 2)
	require.Len(t, ask(t, lab, http.MethodGet, project+"/locations/us-east4/keyRings", "")["keyRings"], 1)
}

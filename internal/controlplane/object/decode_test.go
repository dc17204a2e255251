package object_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type deploymentDraft = synapse.Draft[synapse.DeploymentSpec]

// What a client encodes from the same types is always read, and read as it was.
func TestEncodedDraftsAreRead(t *testing.T) {
	t.Parallel()
	decoder := object.NewDecoder[deploymentDraft]()
	text := rapid.StringMatching(`[^\x00]*`)
	rapid.Check(t, func(r *rapid.T) {
		draft := deploymentDraft{
			Name:   text.Draw(r, "name"),
			Labels: rapid.MapOf(text, text).Draw(r, "labels"),
			Spec: synapse.DeploymentSpec{
				Image: text.Draw(r, "image"), RequireDigest: rapid.Bool().Draw(r, "digest"), Env: rapid.MapOf(text, text).Draw(r, "env"),
				Regions: map[string]synapse.DeploymentRegion{text.Draw(r, "region"): {MinReplicas: rapid.Int().Draw(r, "min")}},
			},
		}
		encoded, err := json.Marshal(draft)
		require.NoError(t, err)
		read, err := decoder.Decode(encoded)
		require.NoError(t, err, string(encoded))
		again, err := json.Marshal(read)
		require.NoError(t, err)
		require.Equal(t, string(encoded), string(again))
	})
}

// FuzzDecode checks that what the decoder takes, encoding/json takes as well and in the same way, and that a refusal is
// always a problem of the client's.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","spec":{"image":"x","regions":{"eu":{"min_replicas":1}}}}`, `{"spec":{"rollout":{"max_surge":1e2}}}`, `{"name":null}`,
		`{"spec":{},"spec":{}}`, `[{"a":[]}]`, `{"labels":{"\u0000":""}}`, `{"name":"\\u0000","spec":{}}`, "\xff", `{"name":"\ud800","spec":{}}`, ` {"spec" : {} } `,
	} {
		f.Add([]byte(seed))
	}
	decoder := object.NewDecoder[deploymentDraft]()
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := decoder.Decode(data)
		if err != nil {
			p, ok := errors.AsType[*synapse.Problem](err)
			require.True(t, ok, "%v", err)
			require.Contains(t, []int{400, 422}, p.Status)
			return
		}
		var plain deploymentDraft
		require.NoError(t, json.Unmarshal(data, &plain))
		require.Equal(t, plain, read)
	})
}

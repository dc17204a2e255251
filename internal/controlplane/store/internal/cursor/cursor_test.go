package cursor

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestCursorsOfAllKeysAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Filter(utf8.ValidString)
		filled := text.Filter(func(s string) bool { return s != "" })
		key := synapse.Key{Kind: synapse.Kind(filled.Draw(t, "kind")), Parent: text.Draw(t, "parent"), Name: filled.Draw(t, "name")}
		got, ok := Decode(Encode(key))
		require.True(t, ok)
		require.Equal(t, key, got)
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(synapse.Key{Kind: synapse.KindTenant, Name: "acme"}))
	f.Add(Encode(synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "blue"}))
	f.Add("")
	f.Add("e30")
	f.Add("eyJ2IjoxLCJrIjoidGVuYW50IiwicCI6IiIsIm4iOiJcdTAwMDAifQ")
	f.Fuzz(func(t *testing.T, text string) {
		key, ok := Decode(text)
		if !ok {
			require.Zero(t, key)
			return
		}
		require.Equal(t, text, Encode(key), "only what a list wrote is accepted")
		require.NotEmpty(t, key.Name)
	})
}

// Package cursor writes and reads the cursors of lists. It is a package of its own so that fuzzing it does not
// instrument a whole database.
package cursor

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// version changes with the meaning of a cursor, so that one from before an upgrade is refused, not misread.
const version = 1

// content names the last object of a page: the next page begins right after it, whatever was inserted or deleted in
// the meantime.
type content struct {
	Version int          `json:"v"`
	Kind    synapse.Kind `json:"k"`
	Parent  string       `json:"p"`
	Name    string       `json:"n"`
}

// Encode returns the cursor of a page that ends with last.
func Encode(last synapse.Key) string {
	// Marshalling a number and strings cannot fail.
	b, _ := json.Marshal(content{Version: version, Kind: last.Kind, Parent: last.Parent, Name: last.Name})
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode returns the key that [Encode] was given, and false for a text that it never writes, be it only by a space.
func Decode(text string) (synapse.Key, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return synapse.Key{}, false
	}
	var c content
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil || c.Version != version || c.Kind == "" || c.Name == "" {
		return synapse.Key{}, false
	}
	key := synapse.Key{Kind: c.Kind, Parent: c.Parent, Name: c.Name}
	if Encode(key) != text {
		return synapse.Key{}, false
	}
	return key, true
}

package unchanged

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
)

// configKey is where the digest of the applied configuration is kept in a resource's private state.
const configKey = "config"

// private is a resource's private state as the plugin framework encodes it: values that are JSON, by key.
type private map[string][]byte

// privateOf decodes a private state. One that is none, or not the framework's, has no values.
func privateOf(encoded []byte) private {
	var p private
	if json.Unmarshal(encoded, &p) != nil {
		return nil
	}
	return p
}

func (p private) fingerprint() session.Fingerprint {
	return session.ParseFingerprint(p[session.FingerprintKey])
}

// config returns the digest of the applied configuration, or "" when it is not known.
func (p private) config() string {
	var text string
	if json.Unmarshal(p[configKey], &text) != nil {
		return ""
	}
	return text
}

// withConfig returns the encoded private state with a digest. encoded is what p was decoded from: what cannot be changed
// stays as it is.
func (p private) withConfig(encoded []byte, digest string) []byte {
	value, err := json.Marshal(digest)
	if p == nil || err != nil {
		return encoded
	}
	changed := maps.Clone(p)
	changed[configKey] = value
	return changed.encode(encoded)
}

func (p private) withoutConfig(encoded []byte) []byte {
	if _, known := p[configKey]; !known {
		return encoded
	}
	changed := maps.Clone(p)
	delete(changed, configKey)
	return changed.encode(encoded)
}

func (p private) encode(otherwise []byte) []byte {
	encoded, err := json.Marshal(p)
	if err != nil {
		return otherwise
	}
	return encoded
}

// digest names a configuration, together with all else that a plan depends on: the provider's version, whose defaults may
// be others, and the default labels.
func digest(run *session.Session, config *tfprotov6.DynamicValue) string {
	hash := sha256.New()
	// Encoding strings and a map of strings cannot fail, and the map's keys are sorted.
	around, _ := json.Marshal([]any{run.Version, run.DefaultLabels})
	hash.Write(around)
	hash.Write(packed(config))
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

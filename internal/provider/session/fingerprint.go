package session

import (
	"encoding/json"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// FingerprintKey is where the fingerprint is kept in a resource's private state.
const FingerprintKey = "fingerprint"

// Fingerprint says which version of an object a state was made from, and by which version of the provider. A refresh that
// finds the same one need not make the state again. Its names are short because Terraform writes the whole state after
// every object that it applies.
type Fingerprint struct {
	UID             string `json:"u"`
	ResourceVersion int64  `json:"v"`
	Provider        string `json:"p"`
}

// FingerprintOf is the fingerprint of a state that is made from an object now.
func (s *Session) FingerprintOf(meta synapse.Meta) Fingerprint {
	return Fingerprint{UID: meta.UID, ResourceVersion: meta.ResourceVersion, Provider: s.Version}
}

// ParseFingerprint decodes a fingerprint. What is none is the zero fingerprint, which no object has.
func ParseFingerprint(encoded []byte) Fingerprint {
	var mark Fingerprint
	if json.Unmarshal(encoded, &mark) != nil {
		return Fingerprint{}
	}
	return mark
}

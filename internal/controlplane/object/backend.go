package object

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
)

// Backend is what objects live on.
type Backend struct {
	Store  store.Store
	Broker *Broker
	Now    func() time.Time
}

// now is the time as the store keeps it: in UTC, to the microsecond, which is what PostgreSQL can hold. An answer then
// shows the same times as a later read.
func (b Backend) now() time.Time { return b.Now().UTC().Truncate(time.Microsecond) }

// Caller is who asked for a write, for the audit record.
type Caller struct {
	Name      string // of the token
	RequestID string
}

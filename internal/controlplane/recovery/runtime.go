package recovery

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Runtime is what failovers need of the world. Its methods are idempotent.
type Runtime interface {
	// Observations are what all observers that answer see of all regions.
	Observations(ctx context.Context) []runtime.Observation
	// Databases is what is seen of each region's database, by region.
	Databases(ctx context.Context) []runtime.DatabaseState
	// SetReplication makes writes wait for a standby, or not.
	SetReplication(ctx context.Context, mode synapse.ReplicationMode) error
	// FurthestDatabase picks, of the standbys in these regions that work, the one that has the most of the primary's log.
	FurthestDatabase(ctx context.Context, regions []string) (string, error)
	// FenceDatabase returns when the region's database takes no write any more, whoever starts it again.
	FenceDatabase(ctx context.Context, region string) error
	// PromoteDatabase returns when the region's database is the primary and the write endpoint leads to it.
	PromoteDatabase(ctx context.Context, region string) error
	// SwitchoverDatabase moves the primary between two databases that work, and loses nothing. After an error the primary is
	// the old one.
	SwitchoverDatabase(ctx context.Context, to string) error
	// ShiftTraffic leads requests to the active region first, or as always when it is empty, and to no drained region before
	// its time has come (the zero time: before the next call).
	ShiftTraffic(ctx context.Context, active string, drained map[string]time.Time) error
	// SetDataHome names the region from which tenants chose where their data may be: while the primary database is elsewhere,
	// those who do not allow that are not served.
	SetDataHome(ctx context.Context, region string) error
}

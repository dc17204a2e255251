package runtime

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// FaultKind says what a fault does to a region.
type FaultKind string

// The kinds of faults.
const (
	FaultLoss          FaultKind = "loss"           // gateway, database and services of the region are killed and stay down
	FaultDatabaseStop  FaultKind = "database_stop"  // the region's database is killed and stays down
	FaultIsolation     FaultKind = "isolation"      // nobody outside reaches the region, nor the region anybody
	FaultPartition     FaultKind = "partition"      // regions do not reach the region, nor it them; clients and the control plane do
	FaultDrain         FaultKind = "drain"          // the global entry leads no new request to the region
	FaultSlowDatabases FaultKind = "slow_databases" // what services of the region send to the database takes longer
)

// FaultMode says how an isolation looks to who tries to connect.
type FaultMode string

// The modes of isolations and partitions.
const (
	FaultRefuse    FaultMode = "refuse"     // connections are refused and reset
	FaultBlackHole FaultMode = "black_hole" // nothing answers: connections hang
)

// Fault is harm done to a region on purpose. It ends by itself at Until, at the place where it acts, whether or not a
// control plane is there to end it.
type Fault struct {
	// ID names the fault. Starting one that is there already, with the same ID, changes nothing.
	ID     string    `json:"id"`
	Kind   FaultKind `json:"kind"`
	Region string    `json:"region"`
	// Mode is for isolations and partitions.
	Mode FaultMode `json:"mode,omitempty"`
	// Latency, of FaultSlowDatabases, is added to each message of a service to the database.
	Latency time.Duration `json:"latency,omitempty"`
	// Until is when the fault ends by itself.
	Until time.Time `json:"until"`
	// Token is the fencing token of the lease under which the fault was started. A runtime refuses one that is older
	// than one it has seen.
	Token int64 `json:"token,omitempty"`
}

// Component is a part of a region that observers look at.
type Component string

// The parts of a region.
const (
	ComponentGateway  Component = "gateway"
	ComponentDatabase Component = "database"
)

// Observation is what one observer sees of one part of a region.
type Observation struct {
	// Observer names who looks: synapsed, entry or gateway-REGION.
	Observer  string    `json:"observer"`
	Region    string    `json:"region"`
	Component Component `json:"component"`
	Healthy   bool      `json:"healthy"`
	// Since is when Healthy last changed, or when the observer began to look.
	Since time.Time `json:"since"`
	// Error is what the last look said when it failed.
	Error string `json:"error,omitempty"`
}

// DatabaseState is what was seen of a region's database server as a member of the replicated whole.
type DatabaseState struct {
	Region string
	Role   synapse.DatabaseRole
	// Fenced says that the server was the primary and must not take writes again before it has rejoined as a standby.
	Fenced  bool
	Healthy bool
	Message string // what is not healthy
	// Streaming says, of a standby, that it is connected to the primary.
	Streaming bool
	// Synchronous says, of a standby, that commits wait for it.
	Synchronous bool
	// LagBytes is how much of the primary's log a standby has yet to receive, and Lag for how long it has been behind; both
	// are -1 when they are not known.
	LagBytes int64
	Lag      time.Duration
}

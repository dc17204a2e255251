// Package runtime is the vocabulary between the reconcilers and the runtimes that make objects true: what is wanted of
// a region, a tenant and a workload, what was seen of it, and the two ways in which work can not be done.
package runtime

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Region is what is wanted of a region.
type Region struct {
	Name string
	// Ports to listen on; 0 lets the runtime choose, which then answers with the port it chose.
	GatewayPort, DatabasePort int
	// Primary is the name of the region whose database is to be the primary when there is none yet: this one or another.
	// After a failover it may be an old name: the databases know better.
	Primary string
}

// RegionState is what was seen of a region.
type RegionState struct {
	GatewayURL                string
	GatewayPort, DatabasePort int
	DatabaseRole              synapse.DatabaseRole
	Healthy                   bool
	Message                   string // what is not healthy
}

// Tenant is what is wanted of a tenant's data.
type Tenant struct {
	Name string
	Spec synapse.TenantSpec
	// Offboarded takes all access away and keeps the data.
	Offboarded bool
	// StorageExceeded refuses writes: the data is larger than the quota.
	StorageExceeded bool
}

// Placement is where a tenant's data lives.
type Placement struct {
	Database, Schema, Role string
}

// Image is an image that a reference led to.
type Image struct {
	// Reference is the image by digest, as it is pulled: repository@sha256:….
	Reference string
	// Digest is sha256:….
	Digest string
}

// Service is what gateways must know of a service, beside its deployments.
type Service struct {
	Name string
	Spec synapse.ServiceSpec
}

// Workload is what is wanted of one deployment in one region.
type Workload struct {
	Service, Deployment, Region string
	// Generation is the deployment's generation: a rollout that failed is tried again when it grows.
	Generation int64
	// Revision names what each replica runs: image, environment and tenant.
	Revision string
	// Image is the reference by digest: repository@sha256:….
	Image      string
	Env        map[string]string
	Tenant     string // the one tenant it serves, or ""
	HealthPath string
	// Protocol is what the replicas speak; empty is HTTP/1.1.
	Protocol synapse.Protocol
	Min, Max int
	// TargetInFlight is the number of requests in flight for each replica to aim at, for scaling between Min and Max.
	TargetInFlight int
	Rollout        synapse.Rollout
	// Halt, when not empty, fails the rollout in progress with this message: another region's rollout failed.
	Halt string
	// CreatedAt is when the deployment was created: the oldest one serves a service's default route.
	CreatedAt time.Time
}

// WorkloadKey identifies a workload.
type WorkloadKey struct{ Service, Deployment, Region string }

// Key returns the workload's key.
func (w Workload) Key() WorkloadKey { return WorkloadKey{w.Service, w.Deployment, w.Region} }

// WorkloadState is what was seen of a workload.
type WorkloadState struct {
	// Unseen says that nobody has looked yet: the rest tells nothing. So it is right after a restart of the daemon.
	Unseen bool
	// Generation and Revision say what this state is about, as they were in the [Workload].
	Generation int64
	// Live is the revision that was last rolled out completely, or "".
	Live     string
	Replicas int // wanted now
	Ready    int // of the revision that serves
	Phase    synapse.Phase
	Reason   string // one CamelCase word
	Message  string // what it waits for, or why it failed, with the last log lines of a crash loop
}

// ReasonNoRegion is the reason of a [PendingError] that waits for the first region.
const ReasonNoRegion = "NoRegion"

// PendingError says that something else must happen first. It is not a failure: the reconciler tries again.
type PendingError struct {
	Reason, Message string
	// After is when to look again; 0 lets the reconciler choose.
	After time.Duration
}

// Error implements error.
func (e *PendingError) Error() string { return e.Message }

// PermanentError says that trying again is of no use until the spec changes.
type PermanentError struct {
	Reason, Message string
	// Field is the JSON pointer of the field to change, or "".
	Field string
}

// Error implements error.
func (e *PermanentError) Error() string { return e.Message }

// Split is what the gateways must know of a traffic split.
type Split struct {
	Name string
	Spec synapse.TrafficSplitSpec
	// State holds the live weights and the salt.
	State synapse.SplitState
}

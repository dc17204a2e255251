package object

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Kind describes one kind of object to the generic code: its spec S, its status T, and the rules that need more than
// the spec to decide. Make one with [NewKind].
type Kind[S, T any] struct {
	synapse.KindInfo

	// Preflight checks what lies outside the store, such as whether an image can be pulled. It runs before the
	// transaction, and on updates only when the spec changes. Optional.
	Preflight func(ctx context.Context, meta synapse.Meta, spec *S) []synapse.FieldError

	// Resolve looks up what lies outside the store and belongs to the status, such as the digest of an image. It runs right
	// after Preflight, with the object as it is (nil for a create), and returns what completes the object that is written; a
	// dry run answers with that, too. Optional.
	Resolve func(ctx context.Context, old *synapse.Object[S, T], spec *S) (complete func(*synapse.Object[S, T]), errs []synapse.FieldError)

	// Warn says what a change that is allowed brings about and users should know before. Dry runs answer with it. Optional.
	Warn func(ctx context.Context, reader store.Reader, old, wanted *synapse.Object[S, T]) ([]synapse.FieldError, error)

	// Admit checks a create (old is nil) or an update against other objects, in the transaction that writes it. It runs
	// also when a reference does not exist: that is reported already, so Admit passes over it. Optional.
	Admit func(ctx context.Context, reader store.Reader, old, wanted *synapse.Object[S, T]) ([]synapse.FieldError, error)

	// Accepted completes the status of a new object: what it must remember of how it was made. Optional.
	Accepted func(object *synapse.Object[S, T], caller Caller)

	// AdmitDelete refuses a deletion with a problem, beside protection and dependents. Optional.
	AdmitDelete func(ctx context.Context, reader store.Reader, old *synapse.Object[S, T], now time.Time) error
	// Tombstone answers for a name whose object is on its way out, when there is more to say than "try again soon".
	// It returns nil when there is not. Optional.
	Tombstone func(old *synapse.Object[S, T]) *synapse.Problem

	spec   func(*S) synapse.Spec
	status func(*T) *synapse.Status
}

// SpecPointer is a pointer to a kind's spec.
type SpecPointer[S any] interface {
	*S
	synapse.Spec
}

// StatusPointer is a pointer to a kind's status.
type StatusPointer[T any] interface {
	*T
	synapse.StatusHolder
}

// NewKind describes a kind that has no rules beyond its spec's own.
func NewKind[S, T any, PS SpecPointer[S], PT StatusPointer[T]](kind synapse.Kind) Kind[S, T] {
	return Kind[S, T]{
		KindInfo: kind.Info(),
		spec:     func(s *S) synapse.Spec { return PS(s) },
		status:   func(t *T) *synapse.Status { return PT(t).Common() },
	}
}

// Kinds are the descriptors of all kinds.
type Kinds struct {
	Region            Kind[synapse.RegionSpec, synapse.RegionStatus]
	Tenant            Kind[synapse.TenantSpec, synapse.TenantStatus]
	Service           Kind[synapse.ServiceSpec, synapse.ServiceStatus]
	ServiceDeployment Kind[synapse.DeploymentSpec, synapse.DeploymentStatus]
	SLO               Kind[synapse.SLOSpec, synapse.SLOStatus]
	TrafficSplit      Kind[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]
	FailoverPolicy    Kind[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]
	Drill             Kind[synapse.DrillSpec, synapse.DrillStatus]
	DrillRun          Kind[synapse.DrillRunSpec, synapse.DrillRunStatus]
}

// NewKinds returns the descriptors of all kinds with their rules of admission. The caller may add Preflight hooks.
func NewKinds() Kinds {
	return Kinds{
		Region:            newRegionKind(),
		Tenant:            newTenantKind(),
		Service:           NewKind[synapse.ServiceSpec, synapse.ServiceStatus](synapse.KindService),
		ServiceDeployment: newDeploymentKind(),
		SLO:               NewKind[synapse.SLOSpec, synapse.SLOStatus](synapse.KindSLO),
		TrafficSplit:      newTrafficSplitKind(),
		FailoverPolicy:    newFailoverPolicyKind(),
		Drill:             newDrillKind(),
		DrillRun:          newDrillRunKind(),
	}
}

package daemon

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/recovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Policies and runs are few, and each has its own pace.
const (
	policyWorkers = 4
	drillWorkers  = 2
	runWorkers    = 4
)

// addRecovery gives failover policies, drills and runs their reconcilers.
func addRecovery(controller *reconcile.Controller, backend object.Backend, kinds object.Kinds, rt *local.Runtime, measured *measure.Measure, options Options) {
	failovers := &recovery.Failovers{
		Backend: backend, Kinds: kinds, Runtime: rt, Telemetry: measured,
		Hooks: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Moved: func(ctx context.Context) error {
			return errors.Join(controller.EnqueueAll(ctx, synapse.KindRegion), controller.EnqueueAll(ctx, synapse.KindServiceDeployment))
		},
	}
	runs := &recovery.DrillRuns{
		Backend: backend, Kinds: kinds, Runtime: drillRuntime{rt}, Telemetry: measured,
		EntryURL: "http://" + options.EntryAddress, Environment: options.Environment, Instance: uuid.NewString(),
	}
	reconcile.AddStateMachine(controller, synapse.KindFailoverPolicy, policyWorkers, failovers.Reconcile)
	reconcile.AddStateMachine(controller, synapse.KindDrill, drillWorkers, recovery.Drills{Backend: backend, Kinds: kinds}.Reconcile)
	reconcile.AddStateMachine(controller, synapse.KindDrillRun, runWorkers, runs.Reconcile)
}

// drillRuntime is the runtime as drills see it.
type drillRuntime struct{ *local.Runtime }

// Samples implements [recovery.DrillRuntime].
func (r drillRuntime) Samples(run string) recovery.Samples { return r.Runtime.Samples(run) }

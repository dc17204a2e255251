package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/recovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// The numbers of objects of a kind that are reconciled at once. Tenants are many and wait for the database; regions are
// few and start servers; splits wait for
// the gateways of all regions.
const (
	regionWorkers     = 4
	tenantWorkers     = 16
	serviceWorkers    = 2
	deploymentWorkers = 4
	sloWorkers        = 2
	splitWorkers      = 8
)

// addKinds gives each kind its reconciler.
func addKinds(controller *reconcile.Controller, backend object.Backend, rt *local.Runtime, splits reconcile.TrafficSplits, entryURL string) {
	reconcile.Add(controller, synapse.KindRegion, regionWorkers, reconcile.Regions{
		Runtime: rt, Store: backend.Store, Now: backend.Now,
		Changed: func(ctx context.Context) error {
			return errors.Join(controller.EnqueueAll(ctx, synapse.KindRegion), controller.EnqueueAll(ctx, synapse.KindTenant))
		},
	}.Reconcile)
	reconcile.Add(controller, synapse.KindTenant, tenantWorkers, reconcile.Tenants{Runtime: rt, Store: backend.Store, Now: backend.Now}.Reconcile)
	reconcile.Add(controller, synapse.KindService, serviceWorkers, reconcile.Services{Runtime: rt, EntryURL: entryURL, Now: backend.Now}.Reconcile)
	// What a write has resolved must not be overwritten by a pass that began before it.
	reconcile.AddStateMachine(controller, synapse.KindServiceDeployment, deploymentWorkers, reconcile.Deployments{Runtime: rt, Store: backend.Store, Now: backend.Now}.Reconcile)
	reconcile.Add(controller, synapse.KindSLO, sloWorkers, reconcile.SLOs{Rules: measure.Rules, Now: backend.Now}.Reconcile)
	reconcile.AddStateMachine(controller, synapse.KindTrafficSplit, splitWorkers, splits.Reconcile)
}

// imageTimeout bounds how long a write waits for an image registry.
const imageTimeout = 20 * time.Second

// kinds adds to the rules of each kind what only the runtime and the source of figures can check.
func kinds(rt *local.Runtime, measured *measure.Measure, identities *identity.Config, listen string) object.Kinds {
	all := object.NewKinds()
	all.ServiceDeployment.Resolve = object.ResolveImages(func(ctx context.Context, image string) (reference, digest string, err error) {
		ctx, cancel := context.WithTimeout(ctx, imageTimeout)
		defer cancel()
		resolved, err := rt.ResolveImage(ctx, image)
		return resolved.Reference, resolved.Digest, err
	})
	all.Region.Preflight = func(_ context.Context, meta synapse.Meta, spec *synapse.RegionSpec) []synapse.FieldError {
		return rt.CheckPorts(runtime.Region{Name: meta.Name, GatewayPort: spec.Local.GatewayPort, DatabasePort: spec.Local.DatabasePort})
	}
	all.Service.Preflight = func(_ context.Context, _ synapse.Meta, spec *synapse.ServiceSpec) []synapse.FieldError {
		return checkNeed(spec, identities)
	}
	all.SLO.Preflight = func(_ context.Context, meta synapse.Meta, spec *synapse.SLOSpec) []synapse.FieldError {
		if errs := measure.CheckAlerting(spec.Alerting); len(errs) > 0 {
			return errs
		}
		if _, err := measure.Rules(meta.Name, *spec); err != nil {
			return []synapse.FieldError{{Pointer: "/spec/alerting", Code: synapse.CodeInvalid, Message: err.Error()}}
		}
		return nil
	}
	all.Drill.Preflight = func(_ context.Context, _ synapse.Meta, spec *synapse.DrillSpec) []synapse.FieldError {
		return checkScenario(spec, rt.CanFault)
	}
	all.TrafficSplit.Preflight = func(_ context.Context, _ synapse.Meta, spec *synapse.TrafficSplitSpec) []synapse.FieldError {
		own := []ownAddress{{"the API of this control plane", listen}}
		for name, address := range rt.Addresses() {
			own = append(own, ownAddress{name, address})
		}
		return append(checkQueries(spec, measured.HasPrometheus()), checkBackendURLs(spec, thisMachine(), own)...)
	}
	return all
}

// checkScenario refuses a scenario that the runtime cannot do.
func checkScenario(spec *synapse.DrillSpec, can func(runtime.FaultKind) error) []synapse.FieldError {
	if err := can(recovery.Harm(spec.Scenario).Kind); err != nil {
		return []synapse.FieldError{{Pointer: "/spec/scenario/type", Code: synapse.CodeInvalid, Message: fmt.Sprintf("%v: choose another scenario or method", err)}}
	}
	return nil
}

// checkQueries refuses queries that nobody could answer.
func checkQueries(spec *synapse.TrafficSplitSpec, hasPrometheus bool) []synapse.FieldError {
	if spec.Progression == nil {
		return nil
	}
	var errs []synapse.FieldError
	for i, check := range spec.Progression.Analysis.Checks {
		pointer := fmt.Sprintf("/spec/progression/analysis/checks/%d/query", i)
		if check.Query == "" {
			continue
		}
		if err := measure.CheckQuery(check.Query); err != nil {
			errs = append(errs, synapse.FieldError{Pointer: pointer, Code: synapse.CodeInvalid, Message: err.Error()})
		} else if !hasPrometheus {
			errs = append(errs, synapse.FieldError{Pointer: pointer, Code: synapse.CodeInvalid,
				Message: "this control plane is not connected to a Prometheus server: start synapsed with --prometheus-url, or name an slo in place of the query"})
		}
	}
	return errs
}

// ownAddress is where a part of the platform listens: HOST:PORT.
type ownAddress struct{ name, address string }

// checkBackendURLs refuses backends that are the platform itself: requests would come back to it, and the API is not for its users.
func checkBackendURLs(spec *synapse.TrafficSplitSpec, m machine, own []ownAddress) []synapse.FieldError {
	var errs []synapse.FieldError
	for _, name := range slices.Sorted(maps.Keys(spec.Backends)) {
		u, err := url.Parse(spec.Backends[name].URL)
		if err != nil || u.Host == "" { // a deployment, or refused by the domain
			continue
		}
		i := slices.IndexFunc(own, func(part ownAddress) bool { return m.reaches(hostPort(u), part.address) })
		if i < 0 {
			continue
		}
		errs = append(errs, synapse.FieldError{
			Pointer: "/spec/backends/" + synapse.EscapePointer(name) + "/url", Code: synapse.CodeInvalid,
			Message: fmt.Sprintf("%s is %s: requests would loop back to the platform, which ends them with 508. "+
				"Use the address of the server itself, or a deployment", u.Host, own[i].name),
		})
	}
	return errs
}

// credentials is the runtime as the API sees it.
type credentials struct{ *local.Runtime }

// Issue implements [api.Credentials].
func (c credentials) Issue(ctx context.Context, tenant synapse.Object[synapse.TenantSpec, synapse.TenantStatus], ttl time.Duration) (synapse.Credentials, error) {
	return c.IssueCredentials(ctx, tenant.Name, tenant.Spec.Isolation.Database, ttl)
}

// Revoke implements [api.Credentials].
func (c credentials) Revoke(ctx context.Context, tenant, id string) error {
	return c.RevokeCredentials(ctx, tenant, id)
}

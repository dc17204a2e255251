package daemon

import (
	"context"
	"errors"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/recovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// seed tells the runtime of all tenants, services and splits before it starts, so that no gateway gets a configuration that lacks some.
func seed(ctx context.Context, backend object.Backend, rt *local.Runtime, machine reconcile.TrafficSplits) error {
	tenants, err := placedTenants(ctx, backend.Store)
	if err != nil {
		return err
	}
	services, err := livingServices(ctx, backend.Store)
	if err != nil {
		return err
	}
	splits, err := livingSplits(ctx, backend, machine)
	if err != nil {
		return err
	}
	way, err := recovery.StoredRoute(ctx, backend.Store)
	if err != nil {
		return err
	}
	rt.Start(tenants, services, splits)
	// Gateways and entry go on with what they were told before, until they are configured anew: then with this.
	return notReadyYet(errors.Join(rt.ShiftTraffic(ctx, way.Active, way.Drained), rt.SetDataHome(ctx, way.DataHome)))
}

// notReadyYet passes over what is only not there yet.
func notReadyYet(err error) error {
	if _, pending := errors.AsType[*runtime.PendingError](err); pending {
		return nil
	}
	return err
}

func placedTenants(ctx context.Context, s store.Reader) ([]local.TenantRow, error) {
	var rows []local.TenantRow
	query := store.Query{Kind: synapse.KindTenant, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for t, err := range object.All[synapse.TenantSpec, synapse.TenantStatus](ctx, s, query) {
		if err != nil {
			return nil, err
		}
		if t.Status.Database == "" {
			continue // it was never placed, so nobody was told that it can be served
		}
		rows = append(rows, local.TenantRow{
			Tenant:    runtime.Tenant{Name: t.Name, Spec: t.Spec, Offboarded: t.Deleting(), StorageExceeded: reconcile.StorageExceeded(&t)},
			Placement: runtime.Placement{Database: t.Status.Database, Schema: t.Status.Schema, Role: t.Status.Role},
		})
	}
	return rows, nil
}

func livingServices(ctx context.Context, s store.Reader) ([]runtime.Service, error) {
	var services []runtime.Service
	query := store.Query{Kind: synapse.KindService, Limit: synapse.MaxPageSize}
	for service, err := range object.All[synapse.ServiceSpec, synapse.ServiceStatus](ctx, s, query) {
		if err != nil {
			return nil, err
		}
		services = append(services, runtime.Service{Name: service.Name, Spec: service.Spec})
	}
	return services, nil
}

// livingSplits lists the splits that gateways serve. One whose spec changed right before the daemon ended is taken over in
// the store first: the gateways get no state that was made for another spec.
func livingSplits(ctx context.Context, backend object.Backend, machine reconcile.TrafficSplits) ([]runtime.Split, error) {
	var splits []runtime.Split
	query := store.Query{Kind: synapse.KindTrafficSplit, Limit: synapse.MaxPageSize}
	for s, err := range object.All[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, backend.Store, query) {
		if err != nil {
			return nil, err
		}
		for {
			taken, err := machine.TakeOver(ctx, &s)
			if err != nil {
				return nil, err
			}
			if !taken {
				break
			}
			err = object.ReplaceStatus(ctx, backend, s.Meta, s.Status)
			if err != nil && !errors.Is(err, object.ErrChanged) {
				return nil, err
			}
			if s, err = object.Load[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, backend.Store, s.Key()); err != nil {
				return nil, err
			}
		}
		splits = append(splits, runtime.Split{Name: s.Name, Spec: s.Spec, State: s.Status.State})
	}
	return splits, nil
}

package local

import (
	"context"
	"errors"
	"reflect"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// EnsureService makes gateways and entry serve the service's requests as its spec says. When it returns nil, all that run do so for
// every new request, as after [Runtime.EnsureSplit].
func (r *Runtime) EnsureService(ctx context.Context, service runtime.Service) error {
	r.table.setService(service)
	return r.syncServices(ctx)
}

// RemoveService makes the gateways forget a service. Its deployments are gone before it.
func (r *Runtime) RemoveService(ctx context.Context, name string) error {
	r.table.removeService(name)
	return r.syncServices(ctx)
}

// syncServices brings the table to all region gateways, and to the entry where it has been started: it starts with the first region.
func (r *Runtime) syncServices(ctx context.Context) error {
	gateways := r.syncGateways(ctx)
	if _, started := r.processes.Get(entryID); !started {
		return gateways
	}
	return errors.Join(gateways, r.syncEntry(ctx))
}

func (t *table) setService(service runtime.Service) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.services[service.Name]
	t.watchTimeouts(func() { t.services[service.Name] = service.Spec })
	if known && reflect.DeepEqual(gatewayService(before), gatewayService(service.Spec)) {
		return
	}
	for region := range t.regions {
		t.versions[region]++
	}
}

func (t *table) removeService(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.services[name]; known {
		t.watchTimeouts(func() { delete(t.services, name) })
		for region := range t.regions {
			t.versions[region]++
		}
	}
}

// gatewayService is what a gateway must know of a service, beside its deployments.
func gatewayService(spec synapse.ServiceSpec) gateway.Service {
	return gateway.Service{Tenant: spec.Tenant, KeepResponses: !spec.RewritesResponses(), Timeouts: spec.Timeouts}
}

package local

import (
	"context"
	"reflect"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// EnsureService makes gateways and entry serve the service's requests as its spec says. When it returns nil, every one that is
// known does so for every new request; the others start with it.
func (r *Runtime) EnsureService(ctx context.Context, service runtime.Service) error {
	r.table.setService(service)
	return r.publisher.sync(ctx, append(r.table.regionNames(), entry)...)
}

// RemoveService makes the gateways forget a service. Its deployments are gone before it.
func (r *Runtime) RemoveService(ctx context.Context, name string) error {
	r.table.removeService(name)
	return r.publisher.sync(ctx, r.table.regionNames()...)
}

func (t *table) setService(service runtime.Service) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.services[service.Name]
	longest := *t.timeouts()
	t.services[service.Name] = service.Spec
	if *t.timeouts() != longest {
		t.versions[entry]++
	}
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
		delete(t.services, name)
		for region := range t.regions {
			t.versions[region]++
		}
	}
}

// gatewayService is what a gateway must know of a service, beside its deployments.
func gatewayService(spec synapse.ServiceSpec) gateway.Service {
	return gateway.Service{Tenant: spec.Tenant, KeepResponses: !spec.RewritesResponses(), Timeouts: spec.Timeouts}
}

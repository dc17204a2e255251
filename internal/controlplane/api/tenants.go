package api

import (
	"context"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type tenantOutput = objectOutput[synapse.TenantSpec, synapse.TenantStatus]

// registerTenantActions adds what tenants have beside create, update and delete.
func (s *server) registerTenantActions() {
	restore := s.operation(http.MethodPost, "/v1/tenants/{name}/restore", "restore-tenant", "Take the deletion of a tenant back", synapse.RoleOperator, http.StatusOK)
	register(s, withPath(restore, "name"), func(ctx context.Context, in *plainInput) (*tenantOutput, error) {
		return s.changeTenant(ctx, in, object.RestoreTenant)
	})
	purge := s.operation(http.MethodPost, "/v1/tenants/{name}/purge", "purge-tenant", "Destroy the data of a deleted tenant now", synapse.RoleAdmin, http.StatusAccepted)
	register(s, withPath(purge, "name"), func(ctx context.Context, in *plainInput) (*tenantOutput, error) {
		return s.changeTenant(ctx, in, object.PurgeTenant)
	})
}

type tenantChange func(context.Context, *object.Collection[synapse.TenantSpec, synapse.TenantStatus], synapse.Key, object.Caller) (synapse.Object[synapse.TenantSpec, synapse.TenantStatus], error)

func (s *server) changeTenant(ctx context.Context, in *plainInput, change tenantChange) (*tenantOutput, error) {
	key, err := s.tenants.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	changed, err := change(ctx, s.tenants, key, in.caller())
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if changed.Deleting() {
		status = http.StatusAccepted
	}
	return answer(status, changed), nil
}

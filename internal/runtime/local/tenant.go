package local

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// expiryInterval is the time between two looks for credentials that have expired. PostgreSQL itself refuses new
// connections from the moment on; this ends the old ones.
const expiryInterval = 5 * time.Second

// EnsureTenant gives the tenant its place in the database and its policies in all gateways.
func (r *Runtime) EnsureTenant(ctx context.Context, wanted runtime.Tenant) (runtime.Placement, error) {
	placement, err := r.cluster.EnsureTenant(ctx, wanted)
	if err != nil {
		return placement, err
	}
	r.table.setTenant(TenantRow{wanted, placement})
	return placement, r.syncAll(ctx)
}

// PurgeTenant removes the tenant's data and all memory of the tenant.
func (r *Runtime) PurgeTenant(ctx context.Context, name string, isolation synapse.DatabaseIsolation) error {
	r.table.removeTenant(name)
	if err := r.syncAll(ctx); err != nil {
		return err
	}
	return r.cluster.PurgeTenant(ctx, name, isolation)
}

// StorageBytes measures the tenant's data.
func (r *Runtime) StorageBytes(ctx context.Context, name string, isolation synapse.DatabaseIsolation) (int64, error) {
	return r.cluster.StorageBytes(ctx, name, isolation)
}

// IssueCredentials makes credentials for the tenant's data.
func (r *Runtime) IssueCredentials(ctx context.Context, tenant string, isolation synapse.DatabaseIsolation, ttl time.Duration) (synapse.Credentials, error) {
	return r.cluster.IssueCredentials(ctx, tenant, isolation, ttl, r.options.Now())
}

// RevokeCredentials ends credentials before their time. Unknown ones are ended already.
func (r *Runtime) RevokeCredentials(ctx context.Context, tenant, id string) error {
	return r.cluster.RevokeCredentials(ctx, tenant, id)
}

func (r *Runtime) revokeExpired(ctx context.Context) {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := r.cluster.RevokeExpired(ctx, r.options.Now()); err != nil && ctx.Err() == nil {
			r.options.Log.Warn("expired credentials could not be revoked and are tried again", "error", err)
		}
	}
}

func (r *Runtime) syncAll(ctx context.Context) error {
	return r.publisher.sync(ctx, append(r.table.regionNames(), entry)...)
}

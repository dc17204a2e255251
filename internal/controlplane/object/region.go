package object

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type region = synapse.Object[synapse.RegionSpec, synapse.RegionStatus]

func newRegionKind() Kind[synapse.RegionSpec, synapse.RegionStatus] {
	kind := NewKind[synapse.RegionSpec, synapse.RegionStatus](synapse.KindRegion)
	kind.Admit = admitRegion
	kind.AdmitDelete = admitRegionDeletion
	return kind
}

// admitRegion refuses ports that another region has, in its spec or by the runtime's choice. A region that is being
// deleted still listens.
func admitRegion(ctx context.Context, reader store.Reader, _, wanted *region) ([]synapse.FieldError, error) {
	ports := []struct {
		pointer string
		port    int
	}{
		{"/spec/local/gateway_port", wanted.Spec.Local.GatewayPort},
		{"/spec/local/database_port", wanted.Spec.Local.DatabasePort},
	}
	var errs []synapse.FieldError
	query := store.Query{Kind: synapse.KindRegion, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for other, err := range All[synapse.RegionSpec, synapse.RegionStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		if other.Name == wanted.Name {
			continue
		}
		taken := []int{other.Spec.Local.GatewayPort, other.Spec.Local.DatabasePort, other.Status.GatewayPort, other.Status.DatabasePort}
		for _, p := range ports {
			if p.port != 0 && slices.Contains(taken, p.port) {
				errs = append(errs, invalid(p.pointer, "port %d belongs to %s: choose another one, or leave it out for a free one", p.port, other.Key()))
			}
		}
	}
	return errs, nil
}

// admitRegionDeletion keeps the primary database as long as it is needed: standbys stream from it, and all tenants'
// data is in it, also that of deleted tenants until it is purged. What stands in the way may be on its way out, as when
// everything is destroyed at once, so the client is told to try again.
func admitRegionDeletion(ctx context.Context, reader store.Reader, old *region, _ time.Time) error {
	if old.Status.DatabaseRole != synapse.DatabasePrimary {
		return nil
	}
	var users []synapse.Key
	for _, query := range []store.Query{
		{Kind: synapse.KindRegion, Limit: maxNamedDependents + 2},
		{Kind: synapse.KindTenant, IncludeDeleting: true, Limit: maxNamedDependents + 2},
	} {
		records, _, err := reader.List(ctx, query)
		if err != nil {
			return fmt.Errorf("looking for what uses the database of %s: %w", old.Key(), err)
		}
		for _, record := range records {
			if record.Key() != old.Key() {
				users = append(users, record.Key())
			}
		}
	}
	if len(users) == 0 {
		return nil
	}
	p := dependentsExist(old.Key(), users)
	p.Detail = "it holds the primary database. " + p.Detail
	return p
}

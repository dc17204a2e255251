package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type platformOutput struct{ Body synapse.Platform }

// registerPlatform adds the description of the running control plane.
func (s *server) registerPlatform() {
	op := s.operation(http.MethodGet, "/v1/platform", "get-platform", "Describe the control plane", synapse.RoleViewer, http.StatusOK)
	register(s, op, func(ctx context.Context, _ *struct{}) (*platformOutput, error) {
		platform := s.Platform(ctx)
		platform.APIVersion, platform.Regions = synapse.APIVersion, []string{}
		query := store.Query{Kind: synapse.KindRegion, Limit: synapse.MaxPageSize}
		for region, err := range object.All[synapse.RegionSpec, synapse.RegionStatus](ctx, s.Backend.Store, query) {
			if err != nil {
				return nil, err
			}
			platform.Regions = append(platform.Regions, region.Name)
		}
		return &platformOutput{Body: platform}, nil
	})
}

// AuditList is the answer with audit entries.
type AuditList struct {
	Items []store.AuditEntry `json:"items" doc:"The entries, the newest first."`
}

type auditOutput struct{ Body AuditList }

type auditInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Entries at most."`
}

// registerAudit adds the record of accepted writes.
func (s *server) registerAudit() {
	op := s.operation(http.MethodGet, "/v1/audit", "list-audit", "List the newest accepted writes", synapse.RoleAdmin, http.StatusOK)
	register(s, op, func(ctx context.Context, in *auditInput) (*auditOutput, error) {
		entries, err := s.Backend.Store.AuditEntries(ctx, in.Limit)
		if err != nil {
			return nil, fmt.Errorf("listing audit entries: %w", err)
		}
		return &auditOutput{Body: AuditList{Items: append([]store.AuditEntry{}, entries...)}}, nil
	})
}

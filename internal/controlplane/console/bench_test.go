package console_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// The overview and the search read all tenants; the list reads one page of them.
func BenchmarkPagesWith10000Tenants(b *testing.B) {
	f := newFixture(b)
	err := f.store.Write(b.Context(), func(tx store.Tx) error {
		for i := range 10_000 {
			record, err := object.Encode(synapse.Object[synapse.TenantSpec, synapse.TenantStatus]{
				Meta:   synapse.Meta{Kind: synapse.KindTenant, Name: fmt.Sprintf("tenant-%05d", i), UID: fmt.Sprint(i), Generation: 1},
				Status: synapse.TenantStatus{Status: ready(f)}}, nil)
			if err != nil {
				return err
			}
			if _, err := tx.Insert(b.Context(), record); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(b, err)
	session := f.signIn(viewerSecret)
	for _, path := range []string{"/console/", "/console/tenants", "/console/tenants?search=tenant-0999"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				require.Equal(b, http.StatusOK, f.do(http.MethodGet, path, session, nil).Code)
			}
		})
	}
}

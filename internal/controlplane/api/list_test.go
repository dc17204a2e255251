package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type tenantPage = synapse.Page[synapse.TenantSpec, synapse.TenantStatus]

func TestList(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator, viewer := s.as(synapse.RoleOperator), s.as(synapse.RoleViewer)
	// list reads all pages and returns the identifiers on each.
	list := func(path string) (pages [][]string) {
		t.Helper()
		for cursor := ""; ; {
			page := read[tenantPage](viewer.do(http.MethodGet, path+"&cursor="+url.QueryEscape(cursor), nil), 200)
			var names []string
			for _, item := range page.Items {
				names = append(names, item.Key().ID())
			}
			pages = append(pages, names)
			if cursor = page.NextCursor; cursor == "" {
				return pages
			}
		}
	}
	require.JSONEq(t, `{"items":[]}`, string(viewer.do(http.MethodGet, "/v1/tenants", nil).body), "an empty list is a list")

	var want []string
	for i := range 7 {
		name := fmt.Sprintf("t-%d", i)
		want = append(want, name)
		draft := fmt.Sprintf(`{"name":"%s","labels":{"parity":"%d","all":"yes"},"spec":{"deletion_protection":false}}`, name, i%2)
		require.Equal(t, 201, operator.do(http.MethodPost, "/v1/tenants", draft).status)
	}

	t.Run("pages are as large as asked for, and together all objects", func(t *testing.T) {
		pages := list("/v1/tenants?limit=3")
		require.Len(t, pages, 3)
		require.Equal(t, want, slices.Concat(pages...))
	})
	t.Run("labels select, all of them together", func(t *testing.T) {
		require.Equal(t, []string{"t-1", "t-3", "t-5"}, slices.Concat(list("/v1/tenants?label=parity=1&label=all=yes")...))
		require.Empty(t, slices.Concat(list("/v1/tenants?label=parity=1&label=all=no")...))
	})
	t.Run("an object on its way out is listed only when asked for", func(t *testing.T) {
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/t-0", nil).status)
		require.Equal(t, want[1:], slices.Concat(list("/v1/tenants?limit=2000")...))
		require.Equal(t, want, slices.Concat(list("/v1/tenants?include_deleting=true")...))
	})
	t.Run("children are listed by their parent", func(t *testing.T) {
		s.region("eu")
		for _, parent := range []string{"auth", "orders"} {
			s.service(parent)
			require.Equal(t, 201, operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft(parent, "v1", `"regions":{"eu":{}}`)).status)
		}
		require.Equal(t, []string{"auth/v1", "orders/v1"}, slices.Concat(list("/v1/service-deployments?limit=1")...))
		require.Equal(t, []string{"orders/v1"}, slices.Concat(list("/v1/service-deployments?parent=orders")...))
	})
}

package console

import (
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type tenantObject = synapse.Object[synapse.TenantSpec, synapse.TenantStatus]

// tenantsView is a page of tenants.
type tenantsView struct {
	listing[synapse.TenantSpec, synapse.TenantStatus]
	// Search is what was looked for: the beginning of a name, or LABEL=VALUE.
	Search string
	// Clipped says that more names begin like this than are shown.
	Clipped bool
	Action  string
}

func (c *console) tenants(w http.ResponseWriter, r *http.Request) {
	view := tenantsView{Search: strings.TrimSpace(r.URL.Query().Get("search")), Action: Root + "tenants"}
	var err error
	label, value, isLabel := strings.Cut(view.Search, "=")
	switch {
	case isLabel:
		view.listing, err = list[synapse.TenantSpec, synapse.TenantStatus](c, r,
			store.Query{Kind: synapse.KindTenant, Labels: map[string]string{strings.TrimSpace(label): strings.TrimSpace(value)}})
	case view.Search != "":
		view.Items, view.Clipped, err = c.tenantsNamed(r, view.Search)
	default:
		view.listing, err = list[synapse.TenantSpec, synapse.TenantStatus](c, r, store.Query{Kind: synapse.KindTenant})
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: "Tenants", Name: "tenants", Section: "Tenants", Content: view})
}

// tenantsNamed returns the first tenants whose names begin with prefix, and whether there are more. The store lists by
// name but can not begin in the middle, so this walks the list up to them.
func (c *console) tenantsNamed(r *http.Request, prefix string) (found []tenantObject, more bool, err error) {
	query := store.Query{Kind: synapse.KindTenant, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for {
		records, next, err := c.Reader.List(r.Context(), query)
		if err != nil {
			return nil, false, err
		}
		for _, record := range records {
			if !strings.HasPrefix(record.Name, prefix) {
				continue
			}
			if len(found) == pageSize {
				return found, true, nil
			}
			tenant, err := object.Decode[synapse.TenantSpec, synapse.TenantStatus](record)
			if err != nil {
				return nil, false, err
			}
			found = append(found, tenant)
		}
		if query.Cursor = next; next == "" {
			return found, false, nil
		}
	}
}

func (c *console) tenant(w http.ResponseWriter, r *http.Request) {
	tenant, err := load[synapse.TenantSpec, synapse.TenantStatus](c, r, synapse.KindTenant)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: tenant.Name, Name: "tenant", Section: "Tenants",
		Content: detail[tenantObject]{tenant, headOf(tenant.Meta, tenant.Status.Status)}})
}

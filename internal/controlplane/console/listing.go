package console

import (
	"net/http"
	"net/url"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// pageSize is how many objects a page of a list shows.
const pageSize = 100

const cursorParameter = "from"

// listing is one page of a list.
type listing[S, T any] struct {
	Items []synapse.Object[S, T]
	// First and Next are addresses, or empty: the list is at its first page, or its last.
	First, Next string
}

// list reads the page of a list that a request asks for. Objects on their way out are on it too.
func list[S, T any](c *console, r *http.Request, query store.Query) (listing[S, T], error) {
	query.IncludeDeleting, query.Limit, query.Cursor = true, pageSize, r.URL.Query().Get(cursorParameter)
	var page listing[S, T]
	records, next, err := c.Reader.List(r.Context(), query)
	if err != nil {
		return page, err
	}
	for _, record := range records {
		decoded, err := object.Decode[S, T](record)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, decoded)
	}
	if query.Cursor != "" {
		page.First = withParameter(r.URL, cursorParameter, "")
	}
	if next != "" {
		page.Next = withParameter(r.URL, cursorParameter, next)
	}
	return page, nil
}

// withParameter returns the address with one parameter of its query replaced; an empty value removes it.
func withParameter(u *url.URL, name, value string) string {
	query := u.Query()
	query.Del(name)
	if value != "" {
		query.Set(name, value)
	}
	return (&url.URL{Path: u.Path, RawQuery: query.Encode()}).String()
}

// load reads the object that the path of a request names.
func load[S, T any](c *console, r *http.Request, kind synapse.Kind) (synapse.Object[S, T], error) {
	key := synapse.Key{Kind: kind, Parent: r.PathValue("parent"), Name: r.PathValue("name")}
	return object.Load[S, T](r.Context(), c.Reader, key)
}

package gcplab

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteInventory prints items by region, with those of a zone in that of its region.
func WriteInventory(w io.Writer, items []Item) error {
	place := func(item Item) string {
		if isZone(item.Location) {
			return item.Location[:strings.LastIndexByte(item.Location, '-')]
		}
		return cmp.Or(item.Location, "global")
	}
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b Item) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	before := ""
	for _, item := range sorted {
		where := place(item)
		if where != before {
			if _, err := fmt.Fprintf(table, "%s\n", where); err != nil {
				return err
			}
			before = where
		}
		if _, err := fmt.Fprintf(table, "  %s\t%s\t%s\n", item.Kind[strings.LastIndexByte(item.Kind, '.')+1:], label(item), item.State); err != nil {
			return err
		}
	}
	return table.Flush()
}

// label is what tells an item from others of its kind: the names that lead to it within its project and region, and its zone.
func label(item Item) string {
	if item.Title != "" {
		return item.Title
	}
	parts := strings.Split(item.Name, "/")[1:]
	var names []string
	for i := 0; i+1 < len(parts); {
		switch parts[i] {
		case "projects", "locations", "regions", "zones", "services":
			i += 2
		case "global":
			i++
		case "rrsets": // a record set has a name of two parts
			return strings.Join(parts[i+1:], " ")
		default:
			names = append(names, parts[i+1])
			i += 2
		}
	}
	text := strings.Join(names, " / ")
	if isZone(item.Location) {
		text += " in " + item.Location
	}
	return text
}

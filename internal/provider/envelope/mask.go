package envelope

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// mask is the places of a configuration that are not known yet, or hold a null that the API has no way to say: each as the
// names, keys and indexes that lead to it.
type mask struct{ places [][]string }

// apply returns the value of an object with null at the places that it adds to the mask.
func (m *mask) apply(value tftypes.Value) tftypes.Value { return m.at(nil, value) }

func (m *mask) at(place []string, value tftypes.Value) tftypes.Value {
	if !value.IsKnown() {
		return m.hide(place, value)
	}
	if value.IsNull() {
		return value
	}
	below := func(token string) []string { return append(slices.Clone(place), token) }
	switch {
	case value.Type().Is(tftypes.Object{}):
		attributes := maps.Clone(attributesOf(value)) // the map is the value's own
		for name, attribute := range attributes {
			attributes[name] = m.at(below(name), attribute)
		}
		return tftypes.NewValue(value.Type(), map[string]tftypes.Value(attributes))
	case value.Type().Is(tftypes.Map{}):
		elements := maps.Clone(attributesOf(value))
		for key, element := range elements {
			if !isThere(element) {
				return m.hide(place, value)
			}
			elements[key] = m.at(below(key), element)
		}
		return tftypes.NewValue(value.Type(), map[string]tftypes.Value(elements))
	case value.Type().Is(tftypes.List{}), value.Type().Is(tftypes.Set{}):
		var elements []tftypes.Value
		if value.As(&elements) != nil {
			return m.hide(place, value)
		}
		masked := slices.Clone(elements)
		for i, element := range elements {
			if !isThere(element) {
				return m.hide(place, value)
			}
			masked[i] = m.at(below(strconv.Itoa(i)), element)
		}
		return tftypes.NewValue(value.Type(), masked)
	}
	return value
}

func isThere(element tftypes.Value) bool { return element.IsKnown() && !element.IsNull() }

func (m *mask) hide(place []string, value tftypes.Value) tftypes.Value {
	m.places = append(m.places, place)
	return tftypes.NewValue(value.Type(), nil)
}

// hides reports whether what a validation says of a field may come from the mask: when the field is masked, or part of it
// is, or a sibling in the same object below the top level, or what checkedWith names for the field's attribute.
func (m *mask) hides(field []string, checkedWith map[string][]string) bool {
	return slices.ContainsFunc(m.places, func(place []string) bool {
		shared := min(len(field), len(place))
		switch {
		case slices.Equal(field[:shared], place[:shared]):
			return true
		case len(field) > 0 && slices.Contains(checkedWith[field[0]], strings.Join(place, ".")):
			return true
		}
		return len(place) > 1 && len(field) == len(place) && slices.Equal(field[:len(field)-1], place[:len(place)-1])
	})
}

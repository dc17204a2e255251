package providertest

import (
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"
)

// Text is a string value.
func Text(text string) tftypes.Value { return tftypes.NewValue(tftypes.String, text) }

// Flag is a bool value.
func Flag(flag bool) tftypes.Value { return tftypes.NewValue(tftypes.Bool, flag) }

// Number is a number value.
func Number(number float64) tftypes.Value { return tftypes.NewValue(tftypes.Number, number) }

// Texts is a map of strings.
func Texts(texts map[string]string) tftypes.Value {
	elements := Attributes{}
	for key, text := range texts {
		elements[key] = Text(text)
	}
	return tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, elements)
}

// TextSet is a set of strings.
func TextSet(texts ...string) tftypes.Value {
	elements := []tftypes.Value{}
	for _, text := range texts {
		elements = append(elements, Text(text))
	}
	return tftypes.NewValue(tftypes.Set{ElementType: tftypes.String}, elements)
}

// Unknown is an unknown string.
func Unknown() tftypes.Value { return tftypes.NewValue(tftypes.String, tftypes.UnknownValue) }

// Nested is the value of a nested attribute with some attributes set and all others null.
func (h *Host) Nested(typeName, attribute string, attributes Attributes) tftypes.Value {
	return object(h.types[typeName].AttributeTypes[attribute].(tftypes.Object), attributes)
}

// NestedMap is the value of a map of nested objects.
func (h *Host) NestedMap(typeName, attribute string, elements map[string]Attributes) tftypes.Value {
	mapType := h.types[typeName].AttributeTypes[attribute].(tftypes.Map)
	values := Attributes{}
	for key, attributes := range elements {
		values[key] = object(mapType.ElementType.(tftypes.Object), attributes)
	}
	return tftypes.NewValue(mapType, values)
}

// Make turns plain values into a value of a resource's attribute, however deep: maps, slices, texts, numbers and flags.
// Attributes that are left out are null.
func (h *Host) Make(typeName, attribute string, plain any) tftypes.Value {
	return made(h.types[typeName].AttributeTypes[attribute], plain)
}

func made(valueType tftypes.Type, plain any) tftypes.Value {
	switch value := plain.(type) {
	case nil:
		return tftypes.NewValue(valueType, nil)
	case tftypes.Value:
		return value
	case map[string]any:
		elements := Attributes{}
		for key, element := range value {
			elements[key] = made(inside(valueType, key), element)
		}
		if objectType, ok := valueType.(tftypes.Object); ok {
			return object(objectType, elements)
		}
		return tftypes.NewValue(valueType, elements)
	case []any:
		elements := make([]tftypes.Value, len(value))
		for i, element := range value {
			elements[i] = made(inside(valueType, ""), element)
		}
		return tftypes.NewValue(valueType, elements)
	}
	return tftypes.NewValue(valueType, plain)
}

// inside is the type of a part of a collection or object.
func inside(valueType tftypes.Type, key string) tftypes.Type {
	switch t := valueType.(type) {
	case tftypes.Object:
		return t.AttributeTypes[key]
	case tftypes.Map:
		return t.ElementType
	case tftypes.List:
		return t.ElementType
	case tftypes.Set:
		return t.ElementType
	}
	return valueType
}

// At returns a value inside an object, by the names of attributes and keys of maps.
func At(t testing.TB, value tftypes.Value, names ...string) tftypes.Value {
	t.Helper()
	for _, name := range names {
		var attributes Attributes
		require.NoError(t, value.As(&attributes))
		require.Contains(t, attributes, name)
		value = attributes[name]
	}
	return value
}

// TextAt returns a string inside an object.
func TextAt(t testing.TB, value tftypes.Value, names ...string) string {
	t.Helper()
	var text string
	require.NoError(t, At(t, value, names...).As(&text))
	return text
}

// proposed merges a configuration with the prior state as Terraform does: where the configuration says nothing, a
// computed attribute keeps its value.
func proposed(schemas []*tfprotov6.SchemaAttribute, config tftypes.Value, prior *Resource) tftypes.Value {
	if prior == nil {
		return config
	}
	return merge(schemas, config, prior.State)
}

func merge(schemas []*tfprotov6.SchemaAttribute, config, prior tftypes.Value) tftypes.Value {
	if config.IsNull() || prior.IsNull() || !config.IsKnown() {
		return config
	}
	var configured, before Attributes
	if config.As(&configured) != nil || prior.As(&before) != nil {
		return config
	}
	result := maps.Clone(configured)
	for _, schema := range schemas {
		value := configured[schema.Name]
		switch {
		case value.IsNull() && schema.Computed:
			result[schema.Name] = before[schema.Name]
		case schema.NestedType == nil || value.IsNull() || !value.IsKnown():
		case schema.NestedType.Nesting == tfprotov6.SchemaObjectNestingModeSingle:
			result[schema.Name] = merge(schema.NestedType.Attributes, value, before[schema.Name])
		case schema.NestedType.Nesting == tfprotov6.SchemaObjectNestingModeMap:
			result[schema.Name] = mergeMap(schema.NestedType.Attributes, value, before[schema.Name])
		case schema.NestedType.Nesting == tfprotov6.SchemaObjectNestingModeList:
			result[schema.Name] = mergeList(schema.NestedType.Attributes, value, before[schema.Name])
		}
	}
	return tftypes.NewValue(config.Type(), result)
}

func mergeMap(schemas []*tfprotov6.SchemaAttribute, config, prior tftypes.Value) tftypes.Value {
	var configured, before Attributes
	if prior.IsNull() || config.As(&configured) != nil || prior.As(&before) != nil {
		return config
	}
	result := maps.Clone(configured)
	for key, value := range configured {
		if old, found := before[key]; found {
			result[key] = merge(schemas, value, old)
		}
	}
	return tftypes.NewValue(config.Type(), result)
}

// mergeList merges the elements that have the same index.
func mergeList(schemas []*tfprotov6.SchemaAttribute, config, prior tftypes.Value) tftypes.Value {
	var configured, before []tftypes.Value
	if prior.IsNull() || config.As(&configured) != nil || prior.As(&before) != nil {
		return config
	}
	result := slices.Clone(configured)
	for i := range min(len(configured), len(before)) {
		result[i] = merge(schemas, configured[i], before[i])
	}
	return tftypes.NewValue(config.Type(), result)
}

package envelope

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The functions here work on Terraform's raw values: decoding a whole plan or state through reflection costs many
// times more, and most plans change nothing.

// rawObject is the attributes of a raw object by name; nil for a null or unknown object.
type rawObject map[string]tftypes.Value

func attributesOf(value tftypes.Value) rawObject {
	var attributes map[string]tftypes.Value
	if value.IsNull() || !value.IsKnown() || value.As(&attributes) != nil {
		return nil
	}
	return attributes
}

// with returns a copy of value with some attributes replaced.
func with(value tftypes.Value, replaced rawObject) tftypes.Value {
	attributes := maps.Clone(attributesOf(value))
	maps.Copy(attributes, replaced)
	return tftypes.NewValue(value.Type(), map[string]tftypes.Value(attributes))
}

// text returns a known, non-empty string attribute.
func (o rawObject) text(name string) (string, bool) {
	var text string
	value, ok := o[name]
	if !ok || !value.IsKnown() || value.IsNull() || value.As(&text) != nil {
		return "", false
	}
	return text, text != ""
}

func (o rawObject) flag(name string) bool {
	var flag bool
	value, ok := o[name]
	return ok && value.IsKnown() && !value.IsNull() && value.As(&flag) == nil && flag
}

// textMap returns a map of strings; known is false when part of it is not known. Null elements are left out.
func (o rawObject) textMap(name string) (result map[string]string, known bool) {
	value, ok := o[name]
	if !ok || value.IsNull() {
		return nil, true
	}
	var elements map[string]tftypes.Value
	if !value.IsFullyKnown() || value.As(&elements) != nil {
		return nil, false
	}
	result = make(map[string]string, len(elements))
	for key, element := range elements {
		var text string
		if !element.IsNull() && element.As(&text) == nil {
			result[key] = text
		}
	}
	return result, true
}

func rawText(text string) tftypes.Value { return tftypes.NewValue(tftypes.String, text) }

func rawTextMap(texts map[string]string) tftypes.Value {
	elements := make(map[string]tftypes.Value, len(texts))
	for key, text := range texts {
		elements[key] = rawText(text)
	}
	return tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, elements)
}

func unknownLike(value tftypes.Value) tftypes.Value {
	return tftypes.NewValue(value.Type(), tftypes.UnknownValue)
}

// emptyState is an object of the same type with all attributes null.
func emptyState(value tftypes.Value) tftypes.Value {
	object, ok := value.Type().(tftypes.Object)
	if !ok {
		return value
	}
	attributes := make(map[string]tftypes.Value, len(object.AttributeTypes))
	for name, attributeType := range object.AttributeTypes {
		attributes[name] = tftypes.NewValue(attributeType, nil)
	}
	return tftypes.NewValue(object, attributes)
}

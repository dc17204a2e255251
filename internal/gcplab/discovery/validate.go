package discovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/api/discovery/v1"
)

// Violation is one thing that is wrong with a request's body.
type Violation struct {
	// Field is where, with the names that JSON has: "cluster.nodePools[0].name".
	Field string
	// Description says what, in Google's words.
	Description string
	// Kind tells the cases apart for services that have words of their own for them.
	Kind ViolationKind
	// Value is what was given, as JSON, where that matters.
	Value string
	// Pattern is the regular expression that Value does not match.
	Pattern string
}

// ProtoField is Field with the names that protobuf has, which is how most services write it: "cluster.node_pools[0].name".
func (v Violation) ProtoField() string { return snake(v.Field) }

func snake(path string) string {
	var result strings.Builder
	for _, r := range path {
		if r >= 'A' && r <= 'Z' {
			result.WriteByte('_')
			r += 'a' - 'A'
		}
		result.WriteRune(r)
	}
	return result.String()
}

// ViolationKind is what kind of mistake a Violation is.
type ViolationKind int

// The kinds of mistakes.
const (
	UnknownField ViolationKind = iota
	WrongType
	UnknownEnum
	PatternMismatch
	MissingField
	ImmutableField
)

// Conform checks a decoded body against a schema and returns it in the form that the service gives back: without fields
// that only the service writes, without nulls, and with numbers of 64 bits as strings. The body must be decoded with
// json.Decoder.UseNumber.
//
// The rules are those of proto3's JSON mapping (https://protobuf.dev/programming-guides/json/), which all of Google's REST
// APIs follow in what they refuse: unknown fields, values of a wrong type, enum values that are not known.
func (a *API) Conform(schema string, body map[string]any) (map[string]any, []Violation) {
	c := conformer{api: a}
	result, _ := c.object("", a.schemas[schema], body).(map[string]any)
	return result, c.violations
}

// Missing returns the fields of a schema that a method requires and body lacks.
func (a *API) Missing(schema, methodID string, body map[string]any) []Violation {
	var violations []Violation
	properties := a.schemas[schema].Properties
	for name := range properties {
		annotations := properties[name].Annotations
		if annotations == nil || !slices.Contains(annotations.Required, methodID) {
			continue
		}
		if value, ok := body[name]; !ok || value == "" {
			violations = append(violations, Violation{Field: name, Kind: MissingField, Description: "Required field '" + name + "' not specified"})
		}
	}
	slices.SortFunc(violations, func(a, b Violation) int { return strings.Compare(a.Field, b.Field) })
	return violations
}

// Has says whether a schema has a property.
func (a *API) Has(schema, property string) bool {
	_, ok := a.schemas[schema].Properties[property]
	return ok
}

// DefaultOf returns the default of a property of a schema, "" if it has none.
func (a *API) DefaultOf(schema, property string) string {
	return a.schemas[schema].Properties[property].Default
}

// Writable says whether a property of a schema is one that users write.
func (a *API) Writable(schema, property string) bool {
	found, ok := a.schemas[schema].Properties[property]
	return ok && writable(found)
}

// writable goes by the description as well, since not all services mark what only they write.
func writable(property discovery.JsonSchema) bool {
	return !property.ReadOnly && !strings.HasPrefix(property.Description, "[Output Only]") && !strings.HasPrefix(property.Description, "Output only.")
}

// Property returns the name of the schema of a property, or of its elements if it is a list; "" if it is no object.
func (a *API) Property(schema, property string) string {
	found := a.schemas[schema].Properties[property]
	if found.Items != nil {
		return found.Items.Ref
	}
	return found.Ref
}

// ListOf returns the property of a list response that has the objects.
func (a *API) ListOf(schema string) string {
	properties := a.schemas[schema].Properties
	if _, ok := properties["items"]; ok {
		return "items"
	}
	names := make([]string, 0, len(properties))
	for name := range properties {
		if properties[name].Type == "array" && properties[name].Items != nil && properties[name].Items.Ref != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

type conformer struct {
	api        *API
	violations []Violation
}

func (c *conformer) fail(v Violation) any {
	c.violations = append(c.violations, v)
	return nil
}

func (c *conformer) value(path string, schema discovery.JsonSchema, value any) any {
	if schema.Ref != "" {
		schema = c.api.schemas[schema.Ref]
	}
	switch schema.Type {
	case "object":
		return c.object(path, schema, value)
	case "array":
		list, ok := value.([]any)
		if !ok {
			return c.fail(wrongType(path, "a list", value))
		}
		if schema.Items == nil {
			return list
		}
		result := make([]any, 0, len(list))
		for i, element := range list {
			if conformed := c.value(fmt.Sprintf("%s[%d]", path, i), *schema.Items, element); conformed != nil {
				result = append(result, conformed)
			}
		}
		return result
	case "string":
		return c.text(path, schema, value)
	case "integer", "number":
		return c.number(path, schema, value)
	case "boolean":
		return c.boolean(path, value)
	default:
		return value
	}
}

func (c *conformer) object(path string, schema discovery.JsonSchema, value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return c.fail(wrongType(path, "an object", value))
	}
	result := make(map[string]any, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field := name
		if path != "" {
			field = path + "." + name
		}
		property, known := schema.Properties[name]
		switch {
		case !known && schema.AdditionalProperties == nil && len(schema.Properties) > 0:
			at := ""
			if path != "" {
				at = " at '" + snake(path) + "'"
			}
			c.fail(Violation{Field: path, Kind: UnknownField, Value: name,
				Description: fmt.Sprintf("Invalid JSON payload received. Unknown name %q%s: Cannot find field.", name, at)})
		case !known && schema.AdditionalProperties != nil:
			if conformed := c.value(field, *schema.AdditionalProperties, object[name]); conformed != nil {
				result[name] = conformed
			}
		case !known:
			result[name] = object[name]
		case object[name] == nil || !writable(property):
		default:
			if conformed := c.value(field, property, object[name]); conformed != nil {
				result[name] = conformed
			}
		}
	}
	return result
}

func (c *conformer) text(path string, schema discovery.JsonSchema, value any) any {
	if number, ok := value.(json.Number); ok && (schema.Format == "int64" || schema.Format == "uint64") {
		value = number.String()
	}
	text, ok := value.(string)
	if !ok {
		return c.fail(wrongType(path, "TYPE_STRING", value))
	}
	switch schema.Format {
	case "int64":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return c.fail(wrongType(path, "TYPE_INT64", value))
		}
	case "uint64":
		if _, err := strconv.ParseUint(text, 10, 64); err != nil {
			return c.fail(wrongType(path, "TYPE_UINT64", value))
		}
	}
	if len(schema.Enum) > 0 && text != "" && !slices.Contains(schema.Enum, text) {
		return c.fail(Violation{Field: path, Kind: UnknownEnum, Value: text, Description: fmt.Sprintf("Invalid value at '%s', %q", snake(path), text)})
	}
	if schema.Pattern != "" && text != "" {
		// A few patterns are not of RE2's syntax; what cannot be checked is let through.
		pattern, err := regexp.Compile("^(?:" + schema.Pattern + ")$")
		if err == nil && !pattern.MatchString(text) {
			return c.fail(Violation{Field: path, Kind: PatternMismatch, Value: text, Pattern: schema.Pattern,
				Description: fmt.Sprintf("Invalid value at '%s': %q must match %s", snake(path), text, schema.Pattern)})
		}
	}
	return text
}

func (c *conformer) number(path string, schema discovery.JsonSchema, value any) any {
	text, ok := value.(string)
	if number, isNumber := value.(json.Number); isNumber {
		text, ok = number.String(), true
	}
	if !ok {
		return c.fail(wrongType(path, typeOfNumber(schema), value))
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || schema.Type == "integer" && (number != math.Trunc(number) || number > math.MaxUint32 || number < math.MinInt32) {
		return c.fail(wrongType(path, typeOfNumber(schema), value))
	}
	return number
}

func typeOfNumber(schema discovery.JsonSchema) string {
	if schema.Format == "" {
		return "TYPE_" + strings.ToUpper(schema.Type)
	}
	return "TYPE_" + strings.ToUpper(schema.Format)
}

func (c *conformer) boolean(path string, value any) any {
	switch value {
	case true, "true":
		return true
	case false, "false":
		return false
	}
	return c.fail(wrongType(path, "TYPE_BOOL", value))
}

func wrongType(path, wanted string, value any) Violation {
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte("a value")
	}
	return Violation{Field: path, Kind: WrongType, Value: string(text),
		Description: fmt.Sprintf("Invalid value at '%s' (%s), %s", snake(path), wanted, text)}
}

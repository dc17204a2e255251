package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// shape is what the JSON of a Go type looks like. It is worked out once, so that a request costs no reflection.
type shape struct {
	kind     reflect.Kind
	bits     int               // of a number
	elem     *shape            // of a slice or map
	fields   map[string]*shape // of a struct, by their names in JSON
	required []string          // members that hold an object and may not be left out
}

func shapeOf(t reflect.Type) *shape {
	s := &shape{kind: t.Kind()}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.Slice, reflect.Map:
		s.elem = shapeOf(t.Elem())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		s.bits = t.Bits()
	case reflect.Struct:
		s.fields = map[string]*shape{}
		for _, field := range reflect.VisibleFields(t) {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !field.IsExported() || name == "" || name == "-" {
				continue
			}
			s.fields[name] = shapeOf(field.Type)
			// Whether a scalar may be left out is for the domain to say. An object that was left out would look like
			// one in which all is left to the defaults, and no rule could tell.
			if options == "" && field.Type.Kind() == reflect.Struct {
				s.required = append(s.required, name)
			}
		}
	}
	return s
}

// maxShapeErrors bounds the answer to a request that is wrong all over.
const maxShapeErrors = 50

// shapeCheck collects what is wrong with a document. The document is known to be valid JSON.
type shapeCheck struct{ errs []synapse.FieldError }

func (c *shapeCheck) add(at, format string, args ...any) {
	if len(c.errs) < maxShapeErrors {
		c.errs = append(c.errs, synapse.FieldError{Pointer: at, Code: synapse.CodeInvalid, Message: fmt.Sprintf(format, args...)})
	}
}

func (c *shapeCheck) value(raw json.RawMessage, want *shape, at string) {
	raw = bytes.TrimSpace(raw)
	if raw[0] == 'n' {
		c.add(at, "null is not a value here: leave the field out, or give it a value")
		return
	}
	switch want.kind {
	case reflect.Struct:
		c.object(raw, want, at)
	case reflect.Map:
		c.mapping(raw, want, at)
	case reflect.Slice:
		c.list(raw, want, at)
	case reflect.String:
		c.text(raw, at)
	case reflect.Bool:
		if raw[0] != 't' && raw[0] != 'f' {
			c.add(at, "must be true or false, not %s", describe(raw))
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.integer(raw, want.bits, at)
	case reflect.Float32, reflect.Float64:
		if !isNumber(raw) {
			c.add(at, "must be a number, not %s", describe(raw))
		} else if _, err := strconv.ParseFloat(string(raw), want.bits); err != nil {
			c.add(at, "%s is out of range for a number", shorten(raw))
		}
	}
}

func (c *shapeCheck) object(raw json.RawMessage, want *shape, at string) {
	seen := map[string]bool{}
	c.members(raw, at, func(name string, value json.RawMessage) {
		field, known := want.fields[name]
		if !known {
			c.add(at+"/"+synapse.EscapePointer(name), "there is no field %q here: the fields are %s",
				shorten([]byte(name)), strings.Join(slices.Sorted(maps.Keys(want.fields)), ", "))
			return
		}
		seen[name] = true
		c.value(value, field, at+"/"+synapse.EscapePointer(name))
	})
	if raw[0] != '{' {
		return
	}
	for _, name := range want.required {
		if !seen[name] {
			c.add(at+"/"+name, "is required")
		}
	}
}

func (c *shapeCheck) mapping(raw json.RawMessage, want *shape, at string) {
	c.members(raw, at, func(name string, value json.RawMessage) {
		if strings.ContainsRune(name, 0) {
			c.add(at, "a key contains a zero byte")
			return
		}
		c.value(value, want.elem, at+"/"+synapse.EscapePointer(name))
	})
}

// members calls visit for each member of an object, and reports members that are given twice.
func (c *shapeCheck) members(raw json.RawMessage, at string, visit func(name string, value json.RawMessage)) {
	if raw[0] != '{' {
		c.add(at, "must be an object, not %s", describe(raw))
		return
	}
	seen := map[string]bool{}
	c.each(raw, func(decoder *json.Decoder) error {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		if seen[name] {
			c.add(at+"/"+synapse.EscapePointer(name), "is given twice")
			return nil
		}
		seen[name] = true
		visit(name, value)
		return nil
	}, at)
}

func (c *shapeCheck) list(raw json.RawMessage, want *shape, at string) {
	if raw[0] != '[' {
		c.add(at, "must be a list, not %s", describe(raw))
		return
	}
	index := 0
	c.each(raw, func(decoder *json.Decoder) error {
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		c.value(value, want.elem, at+"/"+strconv.Itoa(index))
		index++
		return nil
	}, at)
}

// each calls visit for each element of an object or list, with the decoder before it.
func (c *shapeCheck) each(raw json.RawMessage, visit func(*json.Decoder) error, at string) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil { // the opening brace or bracket
		c.add(at, "can not be read: %s", err)
		return
	}
	for decoder.More() && len(c.errs) < maxShapeErrors {
		if err := visit(decoder); err != nil {
			c.add(at, "can not be read: %s", err)
			return
		}
	}
}

func (c *shapeCheck) text(raw json.RawMessage, at string) {
	if raw[0] != '"' {
		c.add(at, "must be a string, not %s", describe(raw))
		return
	}
	// Only an escape can put a zero byte into valid JSON. PostgreSQL can not store one.
	if bytes.Contains(raw, []byte(`\u0000`)) {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil || strings.ContainsRune(text, 0) {
			c.add(at, "must not contain a zero byte")
		}
	}
}

func (c *shapeCheck) integer(raw json.RawMessage, bits int, at string) {
	if !isNumber(raw) {
		c.add(at, "must be a whole number, not %s", describe(raw))
		return
	}
	_, err := strconv.ParseInt(string(raw), 10, bits)
	switch {
	case errors.Is(err, strconv.ErrRange):
		c.add(at, "%s is out of range for a whole number", shorten(raw))
	case err != nil:
		c.add(at, "%s is not a whole number: write it without a fraction and without an exponent", shorten(raw))
	}
}

func isNumber(raw []byte) bool { return raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' }

// describe names the type of a JSON value. The value itself is not repeated: it might be a secret in the wrong place.
func describe(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

// shorten keeps a message short whatever a client sends.
func shorten(text []byte) string {
	const most = 40
	if len(text) <= most {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:most]), "") + "…"
}

package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"unicode/utf8"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Decoder reads a V from JSON more strictly than encoding/json does, and says of each bad field where it is: unknown
// and repeated members, other spellings of a member's name, null, numbers that do not fit, and zero bytes are refused.
type Decoder[V any] struct{ root *shape }

// NewDecoder prepares to read a V, which must be made of structs, maps, slices, pointers and scalars.
func NewDecoder[V any]() *Decoder[V] { return &Decoder[V]{root: shapeOf(reflect.TypeFor[V]())} }

// Decode reads one V. The error is a [*synapse.Problem] with status 400 for what is not JSON at all, and with status 422
// and all fields at fault for JSON of another shape.
func (d *Decoder[V]) Decode(data []byte) (V, error) {
	var value V
	if len(bytes.TrimSpace(data)) == 0 {
		return value, problem(http.StatusBadRequest, synapse.CodeInvalid, "the request needs a JSON body")
	}
	if !utf8.Valid(data) {
		return value, problem(http.StatusBadRequest, synapse.CodeInvalid, "the body is not valid UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return value, problem(http.StatusBadRequest, synapse.CodeInvalid, "the body is not JSON: %s", syntaxError(err))
	}
	var check shapeCheck
	check.value(whole, d.root, "")
	if len(check.errs) > 0 {
		return value, InvalidFields(check.errs)
	}
	if err := json.Unmarshal(whole, &value); err != nil {
		return value, problem(http.StatusUnprocessableEntity, synapse.CodeInvalid, "the body can not be read: %s", err)
	}
	return value, nil
}

func syntaxError(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%s at byte %d", syntax, syntax.Offset)
	}
	return err.Error()
}

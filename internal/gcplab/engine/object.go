package engine

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Object is what a service knows of one thing, as JSON has it.
type Object = map[string]any

// Sub returns the object at a path of fields, an empty one if there is none. Writing to it does not change o.
func Sub(o Object, path ...string) Object {
	for _, name := range path {
		next, ok := o[name].(Object)
		if !ok {
			return Object{}
		}
		o = next
	}
	return o
}

// Ensure returns the object at a path of fields and makes what is missing of it.
func Ensure(o Object, path ...string) Object {
	for _, name := range path {
		next, ok := o[name].(Object)
		if !ok {
			next = Object{}
			o[name] = next
		}
		o = next
	}
	return o
}

// Text returns a field that is a string, "" if it is not.
func Text(o Object, name string) string {
	text, _ := o[name].(string)
	return text
}

// List returns a field that is a list, nil if it is not.
func List(o Object, name string) []any {
	list, _ := o[name].([]any)
	return list
}

// Objects returns the objects in a field that is a list.
func Objects(o Object, name string) []Object {
	var result []Object
	for _, element := range List(o, name) {
		if object, ok := element.(Object); ok {
			result = append(result, object)
		}
	}
	return result
}

// Default sets the fields of defaults that o lacks, in objects within it, too, if o has them.
func Default(o, defaults Object) {
	for name, value := range defaults {
		existing, ok := o[name]
		if !ok {
			o[name] = Clone(value)
			continue
		}
		inner, ok := existing.(Object)
		if deeper, both := value.(Object); ok && both {
			Default(inner, deeper)
		}
	}
}

// Clone copies a JSON value with all that is in it.
func Clone[T any](value T) T {
	copied, _ := clone(value).(T)
	return copied
}

func clone(value any) any {
	switch value := value.(type) {
	case Object:
		result := make(Object, len(value))
		for name, inner := range value {
			result[name] = clone(inner)
		}
		return result
	case []any:
		result := make([]any, len(value))
		for i, inner := range value {
			result[i] = clone(inner)
		}
		return result
	default:
		return value
	}
}

// Merge changes o as a JSON merge patch does (RFC 7396), except that lists come as a whole.
func Merge(o, patch Object) {
	for name, value := range patch {
		if inner, ok := value.(Object); ok {
			if existing, ok := o[name].(Object); ok {
				Merge(existing, inner)
				continue
			}
		}
		o[name] = Clone(value)
	}
}

// MergeMask changes just the fields of o that mask names, separated by commas; a field that patch lacks is removed. It is
// what https://google.aip.dev/134 says of update_mask.
func MergeMask(o, patch Object, mask string) {
	for field := range strings.SplitSeq(mask, ",") {
		path := strings.Split(strings.TrimSpace(field), ".")
		for i := range path {
			path[i] = camel(path[i])
		}
		parents, last := path[:len(path)-1], path[len(path)-1]
		value, ok := Sub(patch, parents...)[last]
		if ok {
			Ensure(o, parents...)[last] = Clone(value)
		} else {
			delete(Sub(o, parents...), last)
		}
	}
}

func camel(snake string) string {
	words := strings.Split(snake, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// Equal says whether two JSON values are the same, whichever of Go's types their numbers have.
func Equal(a, b any) bool {
	first, err := json.Marshal(a)
	if err != nil {
		return false
	}
	second, err := json.Marshal(b)
	return err == nil && reflect.DeepEqual(first, second)
}

// Rewrite replaces each string in o, in lists and objects within it as well, by what visit returns; visit gets the fields
// that lead to it, too.
func Rewrite(o Object, visit func(path []string, text string) string) { walk(o, nil, visit) }

// walk calls visit for each string in value, with the fields that lead to it, and stores what it returns.
func walk(value any, path []string, visit func(path []string, text string) string) any {
	switch value := value.(type) {
	case string:
		return visit(path, value)
	case Object:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			value[name] = walk(value[name], append(path, name), visit)
		}
	case []any:
		for i := range value {
			value[i] = walk(value[i], path, visit)
		}
	}
	return value
}

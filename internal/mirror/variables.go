package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// value is what a tfvars file says at a path: an object, a list, or something that has nothing beneath it.
type value struct {
	kind kind
	// text is a scalar as it would be written.
	text string
	// keys are those of an object in order, or the positions in a list.
	keys    []string
	beneath map[string]value
	place   hcl.Range
}

type kind int

const (
	scalar kind = iota
	object
	list
)

// String says a value in a few words.
func (v value) String() string {
	switch {
	case v.kind == object && len(v.keys) == 0:
		return "{}"
	case v.kind == object:
		return "an object"
	case v.kind == list && len(v.keys) == 0:
		return "[]"
	case v.kind == list:
		return fmt.Sprintf("a list of %d", len(v.keys))
	}
	return v.text
}

// parseVariables reads a tfvars file as one object. Of its syntax it takes literals: Terraform takes hardly anything else.
func parseVariables(content []byte, name string) (value, error) {
	body, err := parse(content, name)
	if err != nil {
		return value{}, err
	}
	problems := make([]error, 0, len(body.Blocks))
	for _, block := range body.Blocks {
		problems = append(problems, fmt.Errorf("%s: a tfvars file has no blocks: write %s = …", at(block.Range()), block.Type))
	}
	top := value{kind: object, beneath: map[string]value{}, place: body.Range()}
	for _, key := range slices.Sorted(maps.Keys(body.Attributes)) {
		it, err := parseValue(body.Attributes[key].Expr, path{key})
		problems = append(problems, err)
		top.keys = append(top.keys, key)
		top.beneath[key] = it
	}
	return top, errors.Join(problems...)
}

// parse reads a file in the syntax of HCL.
func parse(content []byte, name string) (*hclsyntax.Body, error) {
	file, diagnostics := hclparse.NewParser().ParseHCL(content, name)
	var problems []error
	for _, it := range diagnostics {
		place := name
		if it.Subject != nil {
			place = at(*it.Subject)
		}
		problems = append(problems, fmt.Errorf("%s: %s: %s", place, it.Summary, it.Detail))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return nil, fmt.Errorf("%s: not in the syntax of HCL", name)
	}
	return body, nil
}

func parseValue(expression hclsyntax.Expression, where path) (value, error) {
	here := expression.Range()
	switch it := expression.(type) {
	case *hclsyntax.ParenthesesExpr:
		return parseValue(it.Expression, where)
	case *hclsyntax.ObjectConsExpr:
		return parseObject(it, where)
	case *hclsyntax.TupleConsExpr:
		result := value{kind: list, beneath: map[string]value{}, place: here}
		var problems []error
		for i, element := range it.Exprs {
			key := strconv.Itoa(i)
			one, err := parseValue(element, beneath(where, key))
			problems = append(problems, err)
			result.keys = append(result.keys, key)
			result.beneath[key] = one
		}
		return result, errors.Join(problems...)
	case *hclsyntax.LiteralValueExpr, *hclsyntax.TemplateExpr, *hclsyntax.UnaryOpExpr:
		literal, diagnostics := it.Value(nil)
		if text, ok := scalarText(literal); ok && !diagnostics.HasErrors() {
			return value{text: text, place: here}, nil
		}
	}
	return value{}, fmt.Errorf("%s: %s is not a literal: a tfvars file refers to nothing and calls nothing", at(here), where)
}

// parseObject reads an object, each of whose keys must be there once: HCL takes the last in silence.
func parseObject(it *hclsyntax.ObjectConsExpr, where path) (value, error) {
	result := value{kind: object, beneath: map[string]value{}, place: it.Range()}
	var problems []error
	for _, item := range it.Items {
		key, err := parseKey(item.KeyExpr, where)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		here := beneath(where, key)
		if first, exists := result.beneath[key]; exists {
			problems = append(problems, fmt.Errorf("%s: %s is there already, at line %d: a key given twice counts as its last; write it once",
				at(item.KeyExpr.Range()), here, first.place.Start.Line))
			continue
		}
		one, err := parseValue(item.ValueExpr, here)
		one.place = hcl.RangeBetween(item.KeyExpr.Range(), item.ValueExpr.Range())
		problems = append(problems, err)
		result.keys = append(result.keys, key)
		result.beneath[key] = one
	}
	slices.Sort(result.keys)
	return result, errors.Join(problems...)
}

func parseKey(expression hclsyntax.Expression, where path) (string, error) {
	key, diagnostics := expression.Value(nil)
	if !diagnostics.HasErrors() && key.IsKnown() && !key.IsNull() {
		if text, err := convert.Convert(key, cty.String); err == nil {
			return text.AsString(), nil
		}
	}
	return "", fmt.Errorf("%s: a key of %s is not a literal: write a word, or a string in quotes", at(expression.Range()), where)
}

// scalarText is a string, a number, a bool or null as one would write it.
func scalarText(v cty.Value) (string, bool) {
	switch {
	case v == cty.NilVal || !v.IsKnown():
		return "", false
	case v.IsNull():
		return "null", true
	case v.Type() == cty.String:
		return strconv.Quote(v.AsString()), true
	case v.Type() == cty.Number:
		number := v.AsBigFloat()
		if exponent := number.MantExp(nil); exponent > 256 || exponent < -256 {
			return number.Text('g', -1), true // 1e999999 has a million digits
		}
		return number.Text('f', -1), true
	case v.Type() == cty.Bool:
		return strconv.FormatBool(v.True()), true
	}
	return "", false
}

// beneath is the path with one more part. It shares no memory with others.
func beneath(where path, key string) path { return append(slices.Clone(where), key) }

func at(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

package main

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// rule allows two files to differ at the paths that it matches, and beneath. What is there in one file must be there in the
// other, or else each file could leave out what it likes.
type rule struct {
	path pattern
	// renamed lets keys have other names. There must be as many of them, and they are compared in their order.
	renamed bool
	at      string
}

// parseRules reads a file of blocks such as
//
//	allow "regions.*.database.tier" {
//	  reason = "Staging has less data."
//	}
func parseRules(content []byte, name string) ([]rule, error) {
	body, err := parse(content, name)
	if err != nil {
		return nil, err
	}
	var problems []error
	for key, attribute := range body.Attributes {
		problems = append(problems, fmt.Errorf("%s: %s: write rules only, as allow \"PATH\" { reason = \"…\" }", at(attribute.Range()), key))
	}
	rules := make([]rule, 0, len(body.Blocks))
	seen := map[string]bool{}
	for _, block := range body.Blocks {
		it, err := parseRule(block)
		if err == nil && seen[it.path.String()] {
			err = fmt.Errorf("allow %q is there already: write it once", it.path)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", at(block.DefRange()), err))
			continue
		}
		seen[it.path.String()] = true
		rules = append(rules, it)
	}
	return rules, errors.Join(problems...)
}

func parseRule(block *hclsyntax.Block) (rule, error) {
	if block.Type != "allow" || len(block.Labels) != 1 || len(block.Body.Blocks) > 0 {
		return rule{}, errors.New("not a rule: write allow \"PATH\" { reason = \"…\" }")
	}
	parsed, err := parsePattern(block.Labels[0])
	if err != nil {
		return rule{}, fmt.Errorf("allow %q %w", block.Labels[0], err)
	}
	it := rule{path: parsed, at: at(block.DefRange())}
	reason := ""
	for name, attribute := range block.Body.Attributes {
		literal, diagnostics := attribute.Expr.Value(nil)
		known := !diagnostics.HasErrors() && !literal.IsNull()
		switch {
		case name == "reason" && known && literal.Type() == cty.String:
			reason = literal.AsString()
		case name == "renamed" && known && literal.Type() == cty.Bool:
			it.renamed = literal.True()
		default:
			return rule{}, fmt.Errorf("allow %q: %s: a rule has reason, a string, and may have renamed, a bool", parsed, name)
		}
	}
	if reason == "" {
		return rule{}, fmt.Errorf("allow %q has no reason: write why the environments may differ there", parsed)
	}
	if it.renamed && !parsed[len(parsed)-1].any {
		return rule{}, fmt.Errorf("allow %q: renamed is for keys: end the path with .*", parsed)
	}
	return it, nil
}

package envelope

import (
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// fieldTokens names the attribute that a JSON pointer into a draft speaks of, and what is below it.
func (s *shape) fieldTokens(pointer string) []string {
	tokens := synapse.SplitPointer(pointer)
	switch {
	case tokens[0] == "spec":
		tokens = tokens[1:]
	case tokens[0] == "parent":
		tokens[0] = string(s.def.Kind.Info().Parent)
	}
	return tokens
}

// attributePath finds the attribute that a JSON pointer into a draft speaks of. It goes as deep as the configuration
// can be addressed: to the set, for an element of a set. ok is false for what no attribute holds.
func (s *shape) attributePath(pointer string) (at path.Path, ok bool) {
	tokens := s.fieldTokens(pointer)
	if len(tokens) == 0 {
		return path.Empty(), false
	}
	attribute, found := s.schema.Attributes[tokens[0]]
	if !found {
		return path.Empty(), false
	}
	return descend(path.Root(tokens[0]), attribute, tokens[1:]), true
}

func descend(at path.Path, attribute schema.Attribute, tokens []string) path.Path {
	if len(tokens) == 0 {
		return at
	}
	switch a := attribute.(type) {
	case schema.SingleNestedAttribute:
		return descendInto(at, a.Attributes, tokens)
	case schema.MapNestedAttribute:
		return descendInto(at.AtMapKey(tokens[0]), a.NestedObject.Attributes, tokens[1:])
	case schema.ListNestedAttribute:
		if index, err := strconv.Atoi(tokens[0]); err == nil {
			return descendInto(at.AtListIndex(index), a.NestedObject.Attributes, tokens[1:])
		}
	case schema.MapAttribute:
		return at.AtMapKey(tokens[0])
	case schema.ListAttribute:
		if index, err := strconv.Atoi(tokens[0]); err == nil {
			return at.AtListIndex(index)
		}
	}
	return at
}

func descendInto(at path.Path, attributes map[string]schema.Attribute, tokens []string) path.Path {
	if len(tokens) == 0 {
		return at
	}
	child, found := attributes[tokens[0]]
	if !found {
		return at
	}
	return descend(at.AtName(tokens[0]), child, tokens[1:])
}

package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// path leads to a value within a tfvars file: keys of objects, and positions in lists. In writing, its parts are joined by
// dots, and what is no plain word is quoted: database.users."somebody@example.com".
type path []string

var word = regexp.MustCompile(`^[A-Za-z0-9_-]+`)

func (p path) String() string {
	parts := make([]string, len(p))
	for i, part := range p {
		if parts[i] = part; word.FindString(part) != part || part == "" {
			parts[i] = strconv.Quote(part)
		}
	}
	return strings.Join(parts, ".")
}

// pattern is a path whose parts may be any.
type pattern []part

// part is what one part of a path must be.
type part struct {
	name string
	any  bool
}

func (p pattern) String() string {
	parts := make([]string, len(p))
	for i, it := range p {
		if parts[i] = (path{it.name}).String(); it.any {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ".")
}

func (p part) matches(name string) bool { return p.any || p.name == name }

// parsePattern reads a path in which a part may be * for any.
func parsePattern(text string) (pattern, error) {
	if text == "" {
		return nil, errors.New("is empty: write a path, such as regions.*.database.tier")
	}
	var parts pattern
	for rest := text; ; {
		var it part
		switch plain := word.FindString(rest); {
		case plain != "":
			it.name, rest = plain, rest[len(plain):]
		case strings.HasPrefix(rest, "*"):
			it.any, rest = true, rest[1:]
		case strings.HasPrefix(rest, `"`):
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, errors.New("has a quote that does not end")
			}
			if it.name, err = strconv.Unquote(quoted); err != nil {
				return nil, fmt.Errorf("has a part that cannot be read: %w", err)
			}
			rest = rest[len(quoted):]
		default:
			return nil, fmt.Errorf("is no path at %q: write keys and * joined by dots, and what is no plain word in quotes", rest)
		}
		parts = append(parts, it)
		if rest == "" {
			return parts, nil
		}
		if !strings.HasPrefix(rest, ".") {
			return nil, fmt.Errorf("is no path at %q: parts are joined by dots", rest)
		}
		rest = rest[1:]
	}
}

package main

import (
	"fmt"
	"slices"
)

// difference is a path at which two files say different things. A file that says nothing has nil.
type difference struct {
	path     path
	one, two *value
	// allowed says that a rule lets the values differ, if only both were there.
	allowed bool
}

// compare returns where two objects differ without a rule that allows it.
func compare(one, two value, where path, rules []rule) []difference {
	renamed := slices.ContainsFunc(rules, func(it rule) bool { return it.renamed && len(it.path) == 1 })
	var differences []difference
	for _, keys := range pairs(one, two, renamed) {
		here, rules := beneath(where, keys.name()), step(rules, keys.name())
		allowed := slices.ContainsFunc(rules, func(it rule) bool { return len(it.path) == 0 && !it.renamed })
		left, right := one.at(keys.one), two.at(keys.two)
		switch {
		case left == nil || right == nil:
			differences = append(differences, difference{here, left, right, allowed})
		case allowed:
		case left.kind != right.kind || left.text != right.text:
			differences = append(differences, difference{here, left, right, false})
		default:
			differences = append(differences, compare(*left, *right, here, rules)...)
		}
	}
	return differences
}

// pair is a key of one object and that of the other which it is compared with; where there is none, nil.
type pair struct{ one, two *string }

func (p pair) name() string {
	if p.one != nil {
		return *p.one
	}
	return *p.two
}

// pairs returns the keys of two objects or lists. Renamed ones are paired in their order.
func pairs(one, two value, renamed bool) []pair {
	var both []pair
	var onlyOne, onlyTwo []*string
	for _, key := range one.keys {
		if two.at(&key) != nil {
			both = append(both, pair{&key, &key})
		} else {
			onlyOne = append(onlyOne, &key)
		}
	}
	for _, key := range two.keys {
		if one.at(&key) == nil {
			onlyTwo = append(onlyTwo, &key)
		}
	}
	for renamed && len(onlyOne) > 0 && len(onlyTwo) > 0 {
		both = append(both, pair{onlyOne[0], onlyTwo[0]})
		onlyOne, onlyTwo = onlyOne[1:], onlyTwo[1:]
	}
	for _, key := range onlyOne {
		both = append(both, pair{one: key})
	}
	for _, key := range onlyTwo {
		both = append(both, pair{two: key})
	}
	return both
}

// at is what is beneath a key, nil where there is nothing.
func (v value) at(key *string) *value {
	if key == nil {
		return nil
	}
	it, exists := v.beneath[*key]
	if !exists {
		return nil
	}
	return &it
}

// step returns the rules whose pattern goes on with a key, with the rest of the pattern.
func step(rules []rule, key string) []rule {
	var rest []rule
	for _, it := range rules {
		if len(it.path) > 0 && it.path[0].matches(key) {
			it.path = it.path[1:]
			rest = append(rest, it)
		}
	}
	return rest
}

// has says whether a path of the value matches a pattern.
func (v value) has(p pattern) bool {
	if len(p) == 0 {
		return true
	}
	return slices.ContainsFunc(v.keys, func(key string) bool { return p[0].matches(key) && v.beneath[key].has(p[1:]) })
}

// say tells what differs and what to do about it.
func (d difference) say(mirror, of, rules string) string {
	switch {
	case d.one == nil:
		return fmt.Sprintf("%s: %s is %s here, and %s has nothing of the kind: %s", at(d.two.place), d.path, d.two, mirror, d.add(mirror, rules))
	case d.two == nil:
		return fmt.Sprintf("%s: %s is %s here, and %s has nothing of the kind: %s", at(d.one.place), d.path, d.one, of, d.add(of, rules))
	}
	return fmt.Sprintf("%s: %s is %s here, and at %s it is %s: make it the same, or allow it in %s", at(d.one.place), d.path, d.one, at(d.two.place), d.two, rules)
}

func (d difference) add(to, rules string) string {
	if d.allowed {
		return fmt.Sprintf("write it in %s too; %s lets it be another there, not be missing", to, rules)
	}
	return fmt.Sprintf("write it in %s too, or in neither", to)
}

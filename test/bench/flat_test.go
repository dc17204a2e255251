package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// flatResource is a resource of some module as it would be without: in the root, with values instead of expressions.
type flatResource struct {
	address    string // in the modules
	kind, name string
	body       string
}

// object is one of JSON's.
type object = map[string]any

// shownResource is a resource in what the CLI shows of plans, states and configurations.
type shownResource struct {
	Address     string `json:"address"`
	Mode        string `json:"mode"`
	Type        string `json:"type"`
	Name        string `json:"name"`
	Provider    string `json:"provider_name"`
	Values      object `json:"values"`
	Expressions object `json:"expressions"`
}

type shownModule struct {
	Resources    []shownResource `json:"resources"`
	ChildModules []shownModule   `json:"child_modules"`
	ModuleCalls  map[string]struct {
		Module shownModule `json:"module"`
	} `json:"module_calls"`
}

// values returns the resources of a module and those below it, by address.
func (m shownModule) values() map[string]shownResource {
	all := map[string]shownResource{}
	for _, r := range m.Resources {
		all[r.Address] = r
	}
	for _, child := range m.ChildModules {
		maps.Copy(all, child.values())
	}
	return all
}

// expressions returns, by address without keys, what is written in the configuration of each resource.
func (m shownModule) expressions(prefix string) map[string]object {
	all := map[string]object{}
	for _, r := range m.Resources {
		all[prefix+r.Address] = r.Expressions
	}
	for name, call := range m.ModuleCalls {
		maps.Copy(all, call.Module.expressions(prefix+"module."+name+"."))
	}
	return all
}

type schemaBlock struct {
	Attributes map[string]struct {
		Required   bool `json:"required"`
		Optional   bool `json:"optional"`
		Computed   bool `json:"computed"`
		Deprecated bool `json:"deprecated"`
	} `json:"attributes"`
	BlockTypes map[string]struct {
		Nesting string      `json:"nesting_mode"`
		Block   schemaBlock `json:"block"`
	} `json:"block_types"`
}

var (
	keyPattern  = regexp.MustCompile(`\[(?:"[^"]*"|\d+)\]`)
	namePattern = regexp.MustCompile(`[^a-z0-9]+`)
)

// chosen are arguments that are null for Autopilot; the provider's plan has a value nevertheless, which it refuses to be told.
var chosen = []string{"enable_intranode_visibility", "enable_shielded_nodes"}

// flatten returns all resources of a state. What is an argument of theirs comes from the plan that created them, and what
// its value is from the state: there, references have become what they refer to.
func flatten(t *testing.T, created, shown, schemas string) []flatResource {
	t.Helper()
	var plan struct {
		Planned struct {
			Root shownModule `json:"root_module"`
		} `json:"planned_values"`
		Configuration struct {
			Root shownModule `json:"root_module"`
		} `json:"configuration"`
	}
	decode(t, created, &plan)
	var state struct {
		Values struct {
			Root shownModule `json:"root_module"`
		} `json:"values"`
	}
	decode(t, shown, &state)
	var schema struct {
		Providers map[string]struct {
			Resources map[string]struct {
				Block schemaBlock `json:"block"`
			} `json:"resource_schemas"`
		} `json:"provider_schemas"`
	}
	decode(t, schemas, &schema)

	planned, expressions, applied := plan.Planned.Root.values(), plan.Configuration.Root.expressions(""), state.Values.Root.values()
	require.Equal(t, slices.Sorted(maps.Keys(planned)), slices.Sorted(maps.Keys(applied)))
	var flat []flatResource
	names := map[string]string{}
	for _, address := range slices.Sorted(maps.Keys(applied)) {
		r := applied[address]
		require.Equal(t, "managed", r.Mode, address)
		block, found := schema.Providers[r.Provider].Resources[r.Type]
		require.True(t, found, "%s has no schema", address)
		name := strings.Trim(namePattern.ReplaceAllString(strings.ToLower(strings.ReplaceAll(address, "module.", "")), "_"), "_")
		require.NotContains(t, names, name, "%s and %s", address, names[name])
		names[name] = address
		if autopilot, _ := r.Values["enable_autopilot"].(bool); autopilot {
			for _, argument := range chosen {
				delete(r.Values, argument)
			}
		}
		var b strings.Builder
		block.Block.write(&b, "  ", r.Values, planned[address].Values, expressions[keyPattern.ReplaceAllString(address, "")])
		flat = append(flat, flatResource{address: address, kind: r.Type, name: name, body: b.String()})
	}
	return flat
}

// decode reads JSON and keeps numbers as they are.
func decode(t *testing.T, content string, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(content))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(into))
}

// write prints what is to be set of a block. The expressions say what that is, except in dynamic blocks, which have none.
func (s schemaBlock) write(b *strings.Builder, indent string, values, planned, expressions object) {
	for _, name := range slices.Sorted(maps.Keys(s.Attributes)) {
		attribute, value := s.Attributes[name], values[name]
		before, known := planned[name]
		_, written := expressions[name]
		switch {
		case value == nil || (!attribute.Required && !attribute.Optional):
			continue
		case known && before == nil: // null was written, or nothing
			continue
		case expressions != nil && !written:
			continue
		case expressions == nil && (value == "" || attribute.Deprecated || (attribute.Computed && !known)): // the provider's choice
			continue
		}
		fmt.Fprintf(b, "%s%s = %s\n", indent, name, literal(value))
	}
	for _, name := range slices.Sorted(maps.Keys(s.BlockTypes)) {
		nested := s.BlockTypes[name]
		before, now, written := blocks(planned[name]), blocks(values[name]), blocks(expressions[name])
		if len(before) == 0 {
			continue
		}
		for i, value := range now {
			of := before[min(i, len(before)-1)]
			if nested.Nesting == "set" { // whose members have no order
				if at := slices.IndexFunc(before, func(member object) bool { return agrees(member, value) }); at >= 0 {
					of = before[at]
				}
			}
			var expression object
			if len(written) == len(now) {
				expression = written[i]
			}
			fmt.Fprintf(b, "%s%s {\n", indent, name)
			nested.Block.write(b, indent+"  ", value, of, expression)
			fmt.Fprintf(b, "%s}\n", indent)
		}
	}
}

// blocks returns nested blocks, of which there may be one.
func blocks(value any) []object {
	switch value := value.(type) {
	case object:
		return []object{value}
	case []any:
		var all []object
		for _, one := range value {
			if one, ok := one.(object); ok {
				all = append(all, one)
			}
		}
		return all
	}
	return nil
}

// agrees says whether a value could be what a planned one has become: the same as far as that was known.
func agrees(planned, value any) bool {
	switch planned := planned.(type) {
	case nil:
		return true
	case object:
		value, ok := value.(object)
		for name, one := range planned {
			ok = ok && agrees(one, value[name])
		}
		return ok
	case []any:
		value, ok := value.([]any)
		ok = ok && len(value) == len(planned)
		for i := 0; ok && i < len(planned); i++ {
			ok = agrees(planned[i], value[i])
		}
		return ok
	}
	return planned == value
}

// literal writes a value in HCL.
func literal(value any) string {
	switch value := value.(type) {
	case string:
		quoted, _ := json.Marshal(value)
		return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(string(quoted))
	case []any:
		var all []string
		for _, one := range value {
			all = append(all, literal(one))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case object:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(value)) {
			all = append(all, literal(key)+" = "+literal(value[key]))
		}
		return "{ " + strings.Join(all, ", ") + " }"
	case nil:
		return "null"
	default:
		return fmt.Sprint(value)
	}
}

// flatVersions is the root's own file of versions, of which a local backend is the default.
func flatVersions(t *testing.T, w *synapsedtest.Workspace) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(w.Dir, "versions.tf"))
	require.NoError(t, err)
	return []byte(strings.NewReplacer(`backend "gcs"`, `backend "local"`, "var.project_id", `"synapse-bench"`).Replace(string(content)))
}

// flatConfiguration is the resources' configuration.
func flatConfiguration(flat []flatResource) string {
	var b strings.Builder
	for _, r := range flat {
		fmt.Fprintf(&b, "resource %q %q {\n%s}\n\n", r.kind, r.name, r.body)
	}
	return b.String()
}

// flatState is a state's file with each resource where it is in the bare configuration.
func flatState(t *testing.T, content []byte, flat []flatResource) string {
	t.Helper()
	names := map[string]string{}
	for _, r := range flat {
		names[r.address] = r.name
	}
	var state object
	decode(t, string(content), &state)
	var resources []any
	for _, r := range blocks(state["resources"]) {
		address := fmt.Sprintf("%s.%s", r["type"], r["name"])
		if module, ok := r["module"].(string); ok {
			address = module + "." + address
		}
		for _, instance := range blocks(r["instances"]) {
			at := address
			switch key := instance["index_key"].(type) {
			case string:
				at += fmt.Sprintf("[%q]", key)
			case json.Number:
				at += fmt.Sprintf("[%s]", key)
			}
			require.Contains(t, names, at)
			delete(instance, "index_key")
			delete(instance, "dependencies")
			provider := r["provider"].(string)
			resources = append(resources, object{
				"mode": r["mode"], "type": r["type"], "name": names[at],
				"provider": provider[strings.LastIndex(provider, "provider["):], "instances": []any{instance},
			})
		}
	}
	require.Len(t, resources, len(flat))
	state["resources"], state["outputs"], state["check_results"] = resources, object{}, nil
	written, err := json.Marshal(state)
	require.NoError(t, err)
	return string(written)
}

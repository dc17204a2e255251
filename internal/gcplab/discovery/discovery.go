// Package discovery reads Google's API discovery documents: which methods a service has, at which paths, and what the
// schemas of requests and responses are. The format is that of https://developers.google.com/discovery/v1/reference/apis.
//
// The documents come with the Go module google.golang.org/api and are read from the module cache: so they are of the
// version that go.mod names, and nobody has to keep a copy.
package discovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/api/discovery/v1"
)

// Module is the Go module that has the documents.
const Module = "google.golang.org/api"

// Dir returns the directory of Module in the module cache, as `go list` knows it from within directory dir, which must
// be in a module that requires Module; "" is the working directory.
func Dir(dir string) (string, error) {
	cmd := exec.Command("go", "list", "-mod=mod", "-m", "-f", "{{.Dir}}", Module)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find Google's discovery documents: %s: %w (run it within this project; `go mod download` fetches them)", cmd, err)
	}
	found := strings.TrimSpace(string(out))
	if found == "" {
		return "", fmt.Errorf("find Google's discovery documents: %s is not in the module cache; run `go mod download %s`", Module, Module)
	}
	return found, nil
}

// API is one version of one service.
type API struct {
	// Host is where Google serves it, for example "compute.googleapis.com".
	Host string
	// Name and Version are the service's, for example "compute" and "v1".
	Name, Version string

	prefix  string
	schemas map[string]discovery.JsonSchema
	routes  map[int][]*Method // by number of segments
	methods map[string]*Method
}

// Load reads the document of a service's version, for example "compute" and "v1", from below dir, which is what Dir
// returns.
func Load(dir, name, version string) (*API, error) {
	file := filepath.Join(dir, name, version, name+"-api.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the discovery document of %s %s: %w", name, version, err)
	}
	api, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return api, nil
}

// Parse reads a discovery document.
func Parse(raw []byte) (*API, error) {
	var document discovery.RestDescription
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("this is no discovery document: %w", err)
	}
	api := &API{
		Host:    strings.TrimSuffix(strings.TrimPrefix(document.RootUrl, "https://"), "/"),
		Name:    document.Name,
		Version: document.Version,
		prefix:  strings.Trim(document.ServicePath, "/"),
		schemas: document.Schemas,
		routes:  map[int][]*Method{},
		methods: map[string]*Method{},
	}
	if err := api.add(document.Methods, document.Resources); err != nil {
		return nil, err
	}
	for _, methods := range api.routes {
		// Not in the order of a map, so that two methods that fit equally well are always told apart in the same way.
		slices.SortFunc(methods, func(a, b *Method) int { return strings.Compare(a.ID, b.ID) })
	}
	if api.prefix == "" {
		return api, api.findPrefix()
	}
	return api, nil
}

// findPrefix takes the prefix from the methods' paths, where services that have no path of their own put the version: "v1",
// or "sql/v1beta4". The few methods whose paths lack it, such as "v3:fetchResourceSemantics", are about no resource and cannot
// be found.
func (a *API) findPrefix() error {
	for _, id := range slices.Sorted(maps.Keys(a.methods)) {
		segments := a.methods[id].segments
		version := slices.IndexFunc(segments, func(s segment) bool { return s.text == a.Version })
		if version < 0 {
			a.routes[len(segments)] = slices.DeleteFunc(a.routes[len(segments)], func(m *Method) bool { return m.ID == id })
			continue
		}
		var parts []string
		for _, segment := range segments[:version+1] {
			parts = append(parts, segment.text)
		}
		prefix := strings.Join(parts, "/")
		if a.prefix != "" && a.prefix != prefix {
			return fmt.Errorf("the paths of %s begin in two ways: %s and %s", a.Name, a.prefix, prefix)
		}
		a.prefix = prefix
	}
	if a.prefix == "" {
		return fmt.Errorf("the paths of %s lack its version %q", a.Name, a.Version)
	}
	return nil
}

func (a *API) add(methods map[string]discovery.RestMethod, resources map[string]discovery.RestResource) error {
	for name := range methods {
		method, err := newMethod(a, methods[name])
		if err != nil {
			return err
		}
		a.methods[method.ID] = method
		a.routes[len(method.segments)] = append(a.routes[len(method.segments)], method)
	}
	for name := range resources {
		if err := a.add(resources[name].Methods, resources[name].Resources); err != nil {
			return err
		}
	}
	return nil
}

// Method returns the method with an id, for example "compute.networks.insert", or nil.
func (a *API) Method(id string) *Method { return a.methods[id] }

// Prefix is what precedes the names of resources in a path, without slashes at its ends: "compute/v1", "v1".
func (a *API) Prefix() string { return a.prefix }

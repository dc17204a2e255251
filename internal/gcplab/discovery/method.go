package discovery

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/api/discovery/v1"
)

// Method is one thing that can be asked of a service.
type Method struct {
	// ID is for example "compute.networks.insert".
	ID string
	// HTTPMethod is for example "POST".
	HTTPMethod string
	// Request and Response name schemas; "" where there is no body.
	Request, Response string

	api        *API
	parameters map[string]discovery.JsonSchema
	segments   []segment
	literals   int
}

// segment is what lies between two slashes of a path: text, a parameter, or a parameter with a verb behind it.
type segment struct {
	text      string
	parameter string
	verb      string // with its colon
}

// Collection is the id without its last part: "compute.networks".
func (m *Method) Collection() string { return m.ID[:strings.LastIndexByte(m.ID, '.')] }

// Verb is the last part of the id: "insert".
func (m *Method) Verb() string { return m.ID[strings.LastIndexByte(m.ID, '.')+1:] }

// API is the service's version that the method belongs to.
func (m *Method) API() *API { return m.api }

func newMethod(api *API, method discovery.RestMethod) (*Method, error) {
	if !strings.Contains(method.Id, ".") {
		return nil, fmt.Errorf("method id %q has no dot: it must be that of a collection, a dot and a verb", method.Id)
	}
	path := cmp.Or(method.FlatPath, method.Path)
	if strings.Contains(path, "{+") {
		return nil, fmt.Errorf("method %s has a path of no fixed length: %s", method.Id, path)
	}
	if api.prefix != "" {
		path = api.prefix + "/" + path
	}
	result := &Method{ID: method.Id, HTTPMethod: method.HttpMethod, api: api, parameters: method.Parameters}
	if method.Request != nil {
		result.Request = method.Request.Ref
	}
	if method.Response != nil {
		result.Response = method.Response.Ref
	}
	for _, text := range strings.Split(path, "/") {
		part := segment{text: text}
		if name, ok := strings.CutPrefix(text, "{"); ok {
			name, verb, ok := strings.Cut(name, "}")
			if !ok || verb != "" && verb[0] != ':' {
				return nil, fmt.Errorf("method %s has a path that cannot be read: %s", method.Id, path)
			}
			part = segment{parameter: name, verb: verb}
		}
		if part.text != "" || part.verb != "" {
			result.literals++
		}
		result.segments = append(result.segments, part)
	}
	return result, nil
}

// Match is a method that was found for a path.
type Match struct {
	Method *Method
	// Path has the unescaped segments behind the API's prefix, without the verb: ["projects", "p", "global", "networks"].
	Path []string
	// Parameters has the values of the path's parameters by their names.
	Parameters map[string]string
}

// Find returns the method for an HTTP method and an escaped path without the slash at its start. If the path is known and
// the HTTP method is not, it says so in known.
func (a *API) Find(httpMethod, escapedPath string) (match *Match, known bool) {
	parts := strings.Split(escapedPath, "/")
	for i := range parts {
		text, err := url.PathUnescape(parts[i])
		if err != nil {
			return nil, false
		}
		parts[i] = text
	}
	for _, method := range a.routes[len(parts)] {
		if match != nil && method.literals <= match.Method.literals {
			continue
		}
		parameters, ok := method.match(parts)
		if !ok {
			continue
		}
		known = true
		if method.HTTPMethod != httpMethod {
			continue
		}
		match = &Match{Method: method, Parameters: parameters}
	}
	if match != nil {
		match.Path = parts[len(strings.Split(a.Prefix(), "/")):]
		if verb := match.Method.segments[len(parts)-1].verb; verb != "" {
			last := len(match.Path) - 1
			match.Path[last] = strings.TrimSuffix(match.Path[last], verb)
		}
	}
	return match, known
}

func (m *Method) match(parts []string) (map[string]string, bool) {
	parameters := map[string]string{}
	for i, segment := range m.segments {
		if segment.parameter == "" {
			if segment.text != parts[i] {
				return nil, false
			}
			continue
		}
		value, ok := strings.CutSuffix(parts[i], segment.verb)
		if !ok || value == "" {
			return nil, false
		}
		parameters[segment.parameter] = value
	}
	return parameters, true
}

// Parameter says whether the method takes a parameter, in the path or in the query.
func (m *Method) Parameter(name string) bool {
	_, ok := m.parameters[name]
	return ok
}

// QueryID returns the parameter of the query that chooses the id of a new object, for example "keyRingId" for a new one of
// the collection "keyRings"; "" if there is none.
func (m *Method) QueryID() string {
	collection := m.Collection()
	plural := strings.ToLower(collection[strings.LastIndexByte(collection, '.')+1:])
	for _, name := range slices.Sorted(maps.Keys(m.parameters)) {
		singular, ok := strings.CutSuffix(strings.ToLower(name), "id")
		singular = strings.TrimSuffix(singular, "y")
		if ok && m.parameters[name].Location == "query" && len(singular) > 0 && (strings.HasPrefix(plural, singular) || strings.HasSuffix(singular, strings.TrimSuffix(plural, "s"))) {
			return name
		}
	}
	return ""
}

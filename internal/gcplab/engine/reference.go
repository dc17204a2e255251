package engine

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// longForm matches what leads to a name in a URL: the scheme, a host, and a version behind it.
var longForm = regexp.MustCompile(`^(?:https?:)?//([a-z0-9.-]+)/(?:(compute)/)?(?:(?:v[0-9][a-z0-9]*|beta)/)?(projects/.+)$`)

// Resolve returns the full name that a value of a field refers to: a URL, "//HOST/projects/…", or "projects/…". It returns
// false if it refers to nothing that one could create here.
func (c *Call) Resolve(value string) (string, bool) {
	var hosts []*Service
	name := value
	if match := longForm.FindStringSubmatch(value); match != nil {
		name = match[3]
		host := match[1]
		if match[2] == "compute" {
			host = "compute.googleapis.com"
		}
		for _, service := range c.Cloud.services {
			if service.Host() == host {
				hosts = []*Service{service}
			}
		}
	} else if strings.HasPrefix(value, "projects/") {
		hosts = append([]*Service{c.Service}, c.Cloud.services...)
	}
	if len(hosts) == 0 {
		return "", false
	}
	parts := strings.Split(name, "/")
	project, ok := c.Cloud.Project(parts[1])
	if !ok {
		return "", false
	}
	parts[1] = project.ID
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	for _, service := range hosts {
		for _, api := range service.APIs {
			match, _ := api.Find(http.MethodGet, api.Prefix()+"/"+strings.Join(parts, "/"))
			if match != nil && match.Method.Verb() == "get" && creatable(match.Method.Collection(), service) {
				return service.Host() + "/" + strings.Join(match.Path, "/"), true
			}
		}
	}
	return "", false
}

func creatable(collection string, service *Service) bool {
	for _, api := range service.APIs {
		if api.Method(collection+".insert") != nil || api.Method(collection+".create") != nil {
			return true
		}
	}
	return false
}

// References returns the full names of what an object refers to.
func (c *Call) References(object Object) []string {
	found := map[string]bool{}
	walk(Clone(object), nil, func(path []string, text string) string {
		if notReferences[path[len(path)-1]] {
			return text
		}
		if name, ok := c.Resolve(text); ok {
			found[name] = true
		}
		return text
	})
	return slices.Sorted(maps.Keys(found))
}

// notReferences are fields that name the object itself, or what it has made.
var notReferences = map[string]bool{"name": true, "selfLink": true, "selfLinkWithId": true, "description": true, "id": true, "parent": true, "usedBy": true, "membership": true, "resourceLink": true, "issuer": true}

// checkReferences refuses an object that refers to what is not there. What an object referred to before is let be.
func (c *Call) checkReferences(object, old Object) error {
	before := map[string]bool{}
	if old != nil {
		for _, name := range c.References(old) {
			before[name] = true
		}
	}
	for _, name := range c.References(object) {
		if c.Cloud.objects[name] == nil && !before[name] {
			_, short, _ := strings.Cut(name, "/")
			return c.Service.NotFound(c, short)
		}
	}
	return nil
}

// Users returns the full names of the objects that refer to the one with a full name, apart from those in it.
func (c *Call) Users(name string) []string {
	var users []string
	for _, entry := range c.Cloud.objects {
		if within(entry.Name, name) {
			continue
		}
		user := *c
		for _, service := range c.Cloud.services {
			if strings.HasPrefix(entry.Name, service.Host()+"/") {
				user.Service = service
			}
		}
		if slices.Contains(user.References(entry.Data), name) {
			users = append(users, entry.Name)
		}
	}
	slices.Sort(users)
	return users
}

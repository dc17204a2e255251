package engine

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
)

// do answers a call. The cloud is locked.
func (c *Call) do() (any, error) {
	if method := c.Service.Methods[c.Method.ID]; method != nil {
		return method(c)
	}
	switch verb := c.Method.Verb(); {
	case verb == "insert" || verb == "create":
		return c.Create()
	case verb == "get":
		return c.get()
	case verb == "list":
		return c.list()
	case verb == "aggregatedList":
		return c.aggregate()
	case verb == "patch" || strings.HasPrefix(verb, "update") && c.Method.HTTPMethod == http.MethodPatch:
		return c.update(true)
	case verb == "update" && c.Method.HTTPMethod == http.MethodPut:
		return c.update(false)
	case verb == "delete":
		return c.Delete()
	case verb == "getIamPolicy":
		return c.getPolicy()
	case verb == "setIamPolicy":
		return c.setPolicy()
	}
	return nil, c.unimplemented()
}

// Create makes an object of the call's body.
func (c *Call) Create() (any, error) {
	kind := c.kind()
	object := Clone(c.Body)
	if kind.Resource != nil {
		object = kind.Resource(object)
	}
	schema := c.Schema()
	if missing := c.Method.API().Missing(schema, c.Method.ID, object); len(missing) > 0 {
		return nil, c.invalid(missing)
	}
	id, err := c.newID(kind, object)
	if err != nil {
		return nil, err
	}
	item := *c
	item.Path = append(slices.Clone(c.Path), id)
	if c.After("projects") != "" {
		item.Path[1] = c.Project().ID
	}
	name := item.FullName()
	if err := item.checkParents(); err != nil {
		return nil, err
	}
	if c.Cloud.objects[name] != nil {
		return nil, c.Service.Exists(&item, item.Name())
	}
	if err := item.admit(kind, nil, object); err != nil {
		return nil, err
	}
	if limit, ok := c.Cloud.quotas[c.Method.Collection()]; ok && len(c.Cloud.Entries(c.Method.Collection(), c.Service.Host()+"/projects/"+item.Path[1]+"/")) >= limit {
		return nil, Errorf(http.StatusForbidden, "quotaExceeded", "Quota '%s' exceeded. Limit: %d.0.", strings.ToUpper(c.Path[len(c.Path)-1]), limit)
	}
	c.Service.Stamp(&item, object)
	if kind.Created != nil {
		kind.Created(&item, object)
	}
	entry := c.Cloud.Put(name, c.Method.Collection(), object)
	return item.respond(kind, entry, func() {
		c.Cloud.Remove(name)
		if kind.Deleted != nil {
			kind.Deleted(&item, entry)
		}
	})
}

// Schema is that of the objects of the call's collection.
func (c *Call) Schema() string {
	api := c.Method.API()
	if get := api.Method(c.Method.Collection() + ".get"); get != nil {
		return get.Response
	}
	return c.Method.Request
}

func (c *Call) newID(kind *Kind, object Object) (string, error) {
	if kind.ID != nil {
		return kind.ID(c, object)
	}
	if parameter := c.Method.QueryID(); parameter != "" {
		id := c.Query[parameter]
		if id == "" {
			return "", &Error{Code: http.StatusBadRequest, Message: parameter + " is required."}
		}
		return id, checkID(parameter, id)
	}
	if name := Text(object, "name"); name != "" {
		return name, nil
	}
	return c.Serial(), nil
}

// checkID is what https://google.aip.dev/122 says of ids that users choose, and most services hold to.
func checkID(parameter, id string) error {
	valid := len(id) <= 63
	for i, r := range id {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		valid = valid && (letter || r >= '0' && r <= '9' || i > 0 && (r == '-' || r == '_' || r == '.'))
	}
	if valid {
		return nil
	}
	return &Error{Code: http.StatusBadRequest, Message: "Invalid value for " + parameter + ": \"" + id + "\". It must be letters, digits, '-' and '_', at most 63."}
}

// checkParents looks whether what the object is to be in is there: a key ring for a key, an instance for a database.
func (c *Call) checkParents() error {
	for depth := len(c.Path) - 2; depth > 3; depth -= 2 {
		name := strings.Join(c.Path[:depth], "/")
		full, ok := c.Resolve(name)
		if !ok || !strings.HasPrefix(full, c.Service.Host()+"/") {
			continue
		}
		if c.Cloud.objects[full] == nil {
			return c.Service.NotFound(c, name)
		}
	}
	return nil
}

// admit fills in defaults and checks a new object or a change of one.
func (c *Call) admit(kind *Kind, old, object Object) error {
	if old != nil {
		for _, field := range kind.Immutable {
			path := strings.Split(field, ".")
			parents, last := path[:len(path)-1], path[len(path)-1]
			if !c.same(Sub(old, parents...)[last], Sub(object, parents...)[last]) {
				return c.invalid([]discovery.Violation{{Field: field, Kind: discovery.ImmutableField, Description: "Field '" + field + "' is immutable."}})
			}
		}
	}
	if kind.Default != nil {
		kind.Default(c, object)
	}
	if err := c.checkReferences(object, old); err != nil {
		return err
	}
	if kind.Check != nil {
		return kind.Check(c, old, object)
	}
	return nil
}

// same compares two values of a field, and references by what they refer to.
func (c *Call) same(a, b any) bool {
	first, isText := a.(string)
	second, both := b.(string)
	if isText && both {
		if name, ok := c.Resolve(first); ok {
			other, _ := c.Resolve(second)
			return name == other
		}
	}
	return Equal(a, b)
}

// respond answers a create or an update that is stored already, with the object or an operation.
func (c *Call) respond(kind *Kind, entry *Entry, undo func()) (any, error) {
	done := func() {
		if kind.Done != nil {
			kind.Done(c, entry.Data)
		}
		if kind.Ready != "" {
			entry.Data[kind.State] = kind.Ready
		}
	}
	if !strings.HasSuffix(c.Method.Response, "Operation") {
		done()
		return c.show(kind, entry), nil
	}
	if kind.Busy != "" {
		entry.Data[kind.State] = kind.Busy
	}
	return c.Service.Operation(c.Begin(entry.Name, done, undo)), nil
}

func (c *Call) show(kind *Kind, entry *Entry) Object {
	data := Clone(entry.Data)
	if kind.Read != nil {
		kind.Read(c, data)
	}
	return data
}

func (c *Call) get() (any, error) {
	entry, err := c.normal().Target()
	if err != nil {
		return nil, err
	}
	return c.show(c.kind(), entry), nil
}

// normal replaces a project's number in the path by its id.
func (c *Call) normal() *Call {
	if len(c.Path) < 2 || c.Path[0] != "projects" || c.Project().ID == "" {
		return c
	}
	normal := *c
	normal.Path = slices.Clone(c.Path)
	normal.Path[1] = c.Project().ID
	return &normal
}

// list answers with the objects of the collection that the path names, in which "-" is any location: https://google.aip.dev/159.
func (c *Call) list() (any, error) {
	collection := strings.Split(c.normal().FullName(), "/")
	var items []any
	for _, entry := range c.Cloud.Entries(c.Method.Collection(), "") {
		if parts := strings.Split(entry.Name, "/"); len(parts) == len(collection)+1 && matches(parts[:len(collection)], collection) {
			items = append(items, c.show(c.kind(), entry))
		}
	}
	items, next, err := page(c, items)
	if err != nil {
		return nil, err
	}
	result := Object{}
	if next != "" {
		result["nextPageToken"] = next
	}
	if field := c.Method.API().ListOf(c.Method.Response); field != "" && len(items) > 0 {
		result[field] = items
	}
	return result, nil
}

func matches(parts, pattern []string) bool {
	for i, part := range pattern {
		if part != "-" && part != parts[i] {
			return false
		}
	}
	return true
}

// aggregate answers, in the form that Compute Engine has for it, with the objects of all places: {"items": {"zones/z":
// {"networkEndpointGroups": [...]}}}. Places that have none are left out.
func (c *Call) aggregate() (any, error) {
	normal := c.normal()
	project, plural := normal.Service.Host()+"/projects/"+normal.Path[1]+"/", normal.Path[len(normal.Path)-1]
	type found struct {
		place  string
		object Object
	}
	var all []found
	// Not by the collection: the global ones have one of their own, and are in the answer as well.
	for _, entry := range c.Cloud.Entries("", project) {
		parts := strings.Split(strings.TrimPrefix(entry.Name, project), "/")
		if cut := len(parts) - 2; cut > 0 && parts[cut] == plural {
			all = append(all, found{strings.Join(parts[:cut], "/"), c.show(c.Service.kind(entry.Collection), entry)})
		}
	}
	all, next, err := page(c, all)
	if err != nil {
		return nil, err
	}
	items := Object{}
	for _, each := range all {
		place := Ensure(items, each.place)
		place[plural] = append(List(place, plural), each.object)
	}
	result := Object{"items": items}
	if next != "" {
		result["nextPageToken"] = next
	}
	return result, nil
}

// page cuts out of all items those that the request asks for, and says with which token to ask for those behind them.
func page[T any](c *Call, items []T) (part []T, next string, err error) {
	offset, size := 0, len(items)
	if token := c.Query["pageToken"]; token != "" {
		parsed, err := strconv.Atoi(token)
		if err != nil || parsed < 0 || parsed > len(items) {
			return nil, "", Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'pageToken': '%s'.", token)
		}
		offset = parsed
	}
	for _, name := range []string{"maxResults", "pageSize"} {
		if text := c.Query[name]; text != "" {
			parsed, err := strconv.Atoi(text)
			if err != nil || parsed < 0 {
				return nil, "", Errorf(http.StatusBadRequest, "invalid", "Invalid value for field '%s': '%s'.", name, text)
			}
			if parsed > 0 {
				size = parsed
			}
		}
	}
	end := min(offset+size, len(items))
	if end < len(items) {
		next = strconv.Itoa(end)
	}
	return items[offset:end], next, nil
}

func (c *Call) update(patch bool) (any, error) {
	c = c.normal()
	entry, err := c.Target()
	if err != nil {
		return nil, err
	}
	kind := c.kind()
	body := Clone(c.Body)
	if kind.Resource != nil {
		body = kind.Resource(body)
	}
	object := Clone(entry.Data)
	switch mask := c.Query["updateMask"]; {
	case patch && mask != "":
		if err := c.checkMask(mask); err != nil {
			return nil, err
		}
		MergeMask(object, body, mask)
	case patch:
		Merge(object, body)
	default:
		for name := range object {
			if _, given := body[name]; !given && c.writable(name) {
				delete(object, name)
			}
		}
		for name, value := range body {
			object[name] = value
		}
	}
	return c.Change(entry, object)
}

// checkMask refuses a mask with a field that the objects lack: https://google.aip.dev/134.
func (c *Call) checkMask(mask string) error {
	for field := range strings.SplitSeq(mask, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(field), ".")
		if !c.Method.API().Has(c.Schema(), camel(name)) {
			return &Error{Code: http.StatusBadRequest, Message: "Invalid update mask: there is no field '" + field + "'."}
		}
	}
	return nil
}

// Change replaces an object's data after the checks of an update, and answers as an update does.
func (c *Call) Change(entry *Entry, object Object) (any, error) {
	kind := c.kind()
	if c.Service.Check != nil {
		if err := c.Service.Check(c, entry.Data); err != nil {
			return nil, err
		}
	}
	if err := c.admit(kind, entry.Data, object); err != nil {
		return nil, err
	}
	if c.Service.Touch != nil {
		c.Service.Touch(c, object)
	}
	old := entry.Data
	entry.Data = object
	return c.respond(kind, entry, func() { entry.Data = old })
}

// writable says whether a field of the call's objects is one that users write.
func (c *Call) writable(field string) bool {
	return c.Method.API().Writable(c.Schema(), field)
}

// Delete removes the object that the call names, and what is in it, unless something refers to it.
func (c *Call) Delete() (any, error) {
	c = c.normal()
	entry, err := c.Target()
	if err != nil {
		return nil, err
	}
	if refuse := c.kind().Delete; refuse != nil {
		if err := refuse(c, entry); err != nil {
			return nil, err
		}
	}
	if users := c.Users(entry.Name); len(users) > 0 {
		_, user, _ := strings.Cut(users[0], "/")
		return nil, Errorf(http.StatusBadRequest, "resourceInUseByAnotherResource",
			"The %s resource '%s' is already being used by '%s'", c.ResourceType(), c.Name(), user)
	}
	kind := c.kind()
	remove := func() {
		c.Cloud.Remove(entry.Name)
		if kind.Deleted != nil {
			kind.Deleted(c, entry)
		}
	}
	if !strings.HasSuffix(c.Method.Response, "Operation") {
		remove()
		if c.Method.Response == "" {
			return nil, nil
		}
		return Object{}, nil
	}
	return c.Service.Operation(c.Begin(entry.Name, remove, nil)), nil
}

// ResourceType is what Google's messages call the objects of the call's collection: "network", "backend_service".
func (c *Call) ResourceType() string {
	collection := c.Method.Collection()
	plural := (discovery.Violation{Field: collection[strings.LastIndexByte(collection, '.')+1:]}).ProtoField()
	if stem, ok := strings.CutSuffix(plural, "ies"); ok {
		return stem + "y"
	}
	if stem, ok := strings.CutSuffix(plural, "sses"); ok {
		return stem + "ss"
	}
	return strings.TrimSuffix(plural, "s")
}

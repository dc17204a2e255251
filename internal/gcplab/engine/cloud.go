// Package engine does what Google's APIs have in common, for any service that a discovery document describes: it finds the
// method, checks the request, keeps the objects, runs the operations, guards references and answers. It knows no service by
// name; what is special of one is a Service and its Kinds.
package engine

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Cloud is all that there is: objects, operations, faults, a log. It is kept in memory only.
type Cloud struct {
	clock         func() time.Time
	operationTime time.Duration
	token         string
	services      []*Service
	projects      map[string]Project // by id

	mu         sync.Mutex
	serial     uint64
	objects    map[string]*Entry
	operations map[string]*Operation
	running    []*Operation
	faults     []*armedFault
	quotas     map[string]int
	log        []Request
}

// Project is one that exists; a request for any other is refused.
type Project struct {
	// ID is for example "synapse-staging".
	ID string
	// Number is for example "123456789012".
	Number string
}

// Entry is an object with what is known of it apart from its fields.
type Entry struct {
	// Name is the full name, for example "compute.googleapis.com/projects/p/global/networks/n".
	Name string
	// Collection is for example "compute.networks".
	Collection string
	// Data is the object.
	Data Object
	// Policy is its IAM policy, nil if none was set.
	Policy Object

	serial uint64
}

// Request is what the log has of one request. Bodies are not kept: they may have secrets.
type Request struct {
	Time       time.Time     `json:"time"`
	HTTPMethod string        `json:"http_method"`
	Path       string        `json:"path"`
	Method     string        `json:"method,omitempty"`
	Status     int           `json:"status"`
	Message    string        `json:"message,omitempty"`
	Took       time.Duration `json:"took"`
}

// Options are what a Cloud is made of.
type Options struct {
	// Projects are those that exist.
	Projects []Project
	// Token is what requests must bear.
	Token string
	// OperationTime is how long operations take.
	OperationTime time.Duration
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// New makes a cloud with nothing in it.
func New(options Options, services ...*Service) *Cloud {
	cloud := &Cloud{
		clock: options.Clock, operationTime: options.OperationTime, token: options.Token, services: services,
		projects: map[string]Project{}, objects: map[string]*Entry{}, operations: map[string]*Operation{}, quotas: map[string]int{},
	}
	if cloud.clock == nil {
		cloud.clock = time.Now
	}
	for _, project := range options.Projects {
		cloud.projects[project.ID] = project
	}
	return cloud
}

// maxLog bounds the log; the oldest half goes first.
const maxLog = 100_000

func (c *Cloud) record(request Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.log) >= maxLog {
		c.log = slices.Clone(c.log[maxLog/2:])
	}
	c.log = append(c.log, request)
}

// Log returns the requests so far, the oldest first.
func (c *Cloud) Log() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// Inject arms faults, in addition to those there are.
func (c *Cloud) Inject(faults ...Fault) error {
	for _, fault := range faults {
		if err := fault.Validate(); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, fault := range faults {
		c.faults = append(c.faults, &armedFault{Fault: fault})
	}
	return nil
}

// ClearFaults disarms all faults.
func (c *Cloud) ClearFaults() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

// SetQuota limits how many objects a collection, for example "compute.networks", may have in a project.
func (c *Cloud) SetQuota(collection string, limit int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quotas[collection] = limit
}

// Inventory returns the names of all objects with what they are, sorted.
func (c *Cloud) Inventory() []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	entries := make([]Entry, 0, len(c.objects))
	for _, name := range slices.Sorted(maps.Keys(c.objects)) {
		entry := *c.objects[name]
		entry.Data, entry.Policy = Clone(entry.Data), Clone(entry.Policy)
		entries = append(entries, entry)
	}
	return entries
}

// Project returns a project by its id or its number.
func (c *Cloud) Project(idOrNumber string) (Project, bool) {
	if project, ok := c.projects[idOrNumber]; ok {
		return project, true
	}
	for _, project := range c.projects {
		if project.Number == idOrNumber {
			return project, true
		}
	}
	return Project{}, false
}

// Get returns the entry with a full name, nil if there is none. It is for the code of services, which runs while the cloud
// is locked, as are the methods below.
func (c *Cloud) Get(name string) *Entry { return c.objects[name] }

// Put stores an object under a full name.
func (c *Cloud) Put(name, collection string, data Object) *Entry {
	c.serial++
	entry := &Entry{Name: name, Collection: collection, Data: data, serial: c.serial}
	c.objects[name] = entry
	return entry
}

// Remove deletes an object and all within it.
func (c *Cloud) Remove(name string) {
	for other := range c.objects {
		if within(other, name) {
			delete(c.objects, other)
		}
	}
}

// Entries returns the entries of a collection, or of all of them if it is "", whose names start with prefix, in the order
// of their creation.
func (c *Cloud) Entries(collection, prefix string) []*Entry {
	var entries []*Entry
	for name, entry := range c.objects {
		if (collection == "" || entry.Collection == collection) && strings.HasPrefix(name, prefix) {
			entries = append(entries, entry)
		}
	}
	slices.SortFunc(entries, func(a, b *Entry) int { return cmp.Compare(a.serial, b.serial) })
	return entries
}

// within says whether name is that of outer, or of something in it.
func within(name, outer string) bool {
	rest, ok := strings.CutPrefix(name, outer)
	return ok && (rest == "" || rest[0] == '/')
}

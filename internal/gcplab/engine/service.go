package engine

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
)

// Service is one of Google's, in one or more versions, with what it does in its own way.
type Service struct {
	// APIs are its versions. All serve the same objects.
	APIs []*discovery.API
	// Kinds has the behaviour of collections, for example "compute.networks". A collection that is not in it has none that
	// is special.
	Kinds map[string]*Kind
	// Methods has what to do for methods that are no create, get, list, update or delete, by their id.
	Methods map[string]func(*Call) (any, error)
	// Undocumented are fields, with dots, that the service takes though its discovery document lacks them, by collection. They
	// are left out.
	Undocumented map[string][]string
	// Stamp fills in what the service writes into all new objects, for example selfLink.
	Stamp func(*Call, Object)
	// Check refuses an update whose body does not fit to the object as it is, for example by its fingerprint. May be nil.
	Check func(call *Call, old Object) error
	// Touch changes what the service changes with each update, for example fingerprints. May be nil.
	Touch func(*Call, Object)
	// Operation gives an operation the form that the service has for it.
	Operation func(*Operation) Object
	// Invalid puts violations into the service's words; nil takes those of protobuf's JSON.
	Invalid func(*Call, []discovery.Violation) *Error
	// NotFound is the error for an object that is not there.
	NotFound func(call *Call, name string) *Error
	// NoProject is the error for a project that does not exist; nil says that it may not be seen.
	NoProject func(call *Call, id string) *Error
	// Exists is the error for an object that is there already.
	Exists func(call *Call, name string) *Error
}

// Host is where Google serves it.
func (s *Service) Host() string { return s.APIs[0].Host }

// Kind is what is special of a collection. All its functions may be nil.
type Kind struct {
	// Resource takes the object out of a create's body, where it is wrapped in something.
	Resource func(body Object) Object
	// ID gives the last part of a new object's name from the call and its body.
	ID func(*Call, Object) (string, error)
	// Default fills in what the service gives fields that are not set. It is called for updates as well.
	Default func(*Call, Object)
	// Created fills in what the service writes into new objects alone.
	Created func(*Call, Object)
	// Check refuses a new object, for which old is nil, or a change.
	Check func(call *Call, old, object Object) error
	// Immutable are the fields, with dots, that cannot be changed.
	Immutable []string
	// Busy is the status of an object while its operation runs, Ready that of afterwards, both of the field State.
	State, Busy, Ready string
	// Done is called when the operation of a create or an update is over.
	Done func(*Call, Object)
	// Delete refuses a deletion.
	Delete func(*Call, *Entry) error
	// Deleted is called when an object is gone, or has never come to be because the operation of its create failed.
	Deleted func(*Call, *Entry)
	// Read changes the copy of an object that is about to be sent.
	Read func(*Call, Object)
}

var noKind = &Kind{}

func (s *Service) kind(collection string) *Kind {
	if kind := s.Kinds[collection]; kind != nil {
		return kind
	}
	return noKind
}

func (c *Call) kind() *Kind { return c.Service.kind(c.Method.Collection()) }

// Call is a request that found its method.
type Call struct {
	Cloud   *Cloud
	Service *Service
	Method  *discovery.Method
	// Path has the segments of the name, without the API's version.
	Path []string
	// Parameters are those of the path.
	Parameters map[string]string
	// Query has the first value of each parameter of the query.
	Query map[string]string
	// Body is the request's, as Conform gives it.
	Body Object

	fault *Fault
}

// Name is the path that the request names: of an object, or of a collection.
func (c *Call) Name() string { return strings.Join(c.Path, "/") }

// FullName is Name with the service's host before it.
func (c *Call) FullName() string { return c.Service.Host() + "/" + c.Name() }

// After returns the segment behind one: After("projects") is the project.
func (c *Call) After(segment string) string {
	for i := range max(len(c.Path)-1, 0) {
		if c.Path[i] == segment {
			return c.Path[i+1]
		}
	}
	return ""
}

// Project is the one that the request is about; its number is resolved to its id. It is empty for what is in no project.
func (c *Call) Project() Project {
	project, _ := c.Cloud.Project(c.After("projects"))
	return project
}

// Time is now, as Google writes it.
func (c *Call) Time() string { return c.Cloud.clock().UTC().Format("2006-01-02T15:04:05.000Z") }

// Now is the cloud's time.
func (c *Call) Now() time.Time { return c.Cloud.clock() }

// Serial is a number that no one else gets, as Google gives them to objects.
func (c *Call) Serial() string {
	c.Cloud.serial++
	return fmt.Sprint(1_000_000_000_000_000_000 + c.Cloud.serial*7_919)
}

// Target returns the entry that the request names.
func (c *Call) Target() (*Entry, error) {
	entry := c.Cloud.objects[c.FullName()]
	if entry == nil {
		return nil, c.Service.NotFound(c, c.Name())
	}
	return entry, nil
}

// Parent returns the entry that ends with the path's last depth segments cut off.
func (c *Call) Parent(depth int) (*Entry, error) {
	name := strings.Join(c.Path[:len(c.Path)-depth], "/")
	entry := c.Cloud.objects[c.Service.Host()+"/"+name]
	if entry == nil {
		return nil, c.Service.NotFound(c, name)
	}
	return entry, nil
}

// Up drops the path's last segments: for methods whose path has a verb of its own, as in Compute.
func (c *Call) Up(depth int) *Call {
	up := *c
	up.Path = c.Path[:len(c.Path)-depth]
	return &up
}

func (c *Call) unimplemented() error {
	return &Error{Code: http.StatusNotImplemented,
		Message: fmt.Sprintf("gcplab does not do %s. It is for what the modules of this project need: extend internal/gcplab.", c.Method.ID)}
}

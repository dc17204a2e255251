package synapse

import (
	"fmt"
	"strings"
	"time"
)

// Kind names a kind of object, in the singular, as it appears in JSON.
type Kind string

// The kinds of objects.
const (
	KindRegion            Kind = "region"
	KindTenant            Kind = "tenant"
	KindService           Kind = "service"
	KindServiceDeployment Kind = "service_deployment"
	KindSLO               Kind = "slo"
	KindTrafficSplit      Kind = "traffic_split"
	KindFailoverPolicy    Kind = "failover_policy"
	KindDrill             Kind = "dr_drill"
	KindDrillRun          Kind = "dr_drill_run"
)

// KindInfo says how the objects of a kind are addressed.
type KindInfo struct {
	Kind Kind
	// Collection is the path segment below /v1, in the plural.
	Collection string
	// Parent is the kind that a child's parent must be, or empty for kinds at the top level.
	Parent Kind
}

// Kinds lists every kind, parents before children.
func Kinds() []KindInfo {
	return []KindInfo{
		{Kind: KindRegion, Collection: "regions"},
		{Kind: KindTenant, Collection: "tenants"},
		{Kind: KindService, Collection: "services"},
		{Kind: KindServiceDeployment, Collection: "service-deployments", Parent: KindService},
		{Kind: KindSLO, Collection: "slos"},
		{Kind: KindTrafficSplit, Collection: "traffic-splits"},
		{Kind: KindFailoverPolicy, Collection: "failover-policies"},
		{Kind: KindDrill, Collection: "dr-drills"},
		{Kind: KindDrillRun, Collection: "dr-drill-runs"},
	}
}

// Info returns what [Kinds] says of k. It panics for a kind that is not listed: that is a programming error.
func (k Kind) Info() KindInfo {
	for _, info := range Kinds() {
		if info.Kind == k {
			return info
		}
	}
	panic("synapse: unknown kind " + string(k))
}

// Label is the kind as people read it: "service deployment".
func (k Kind) Label() string { return strings.ReplaceAll(string(k), "_", " ") }

// Key identifies an object: its kind, the name of its parent (empty at the top level) and its name.
type Key struct {
	Kind   Kind   `json:"kind"`
	Parent string `json:"parent,omitempty"`
	Name   string `json:"name"`
}

// ID is the object's identifier within its kind: "name", or "parent/name" for a child.
func (k Key) ID() string {
	if k.Parent == "" {
		return k.Name
	}
	return k.Parent + "/" + k.Name
}

// String is "kind id", for messages: `tenant "acme"`.
func (k Key) String() string { return fmt.Sprintf("%s %q", k.Kind.Label(), k.ID()) }

// Path is the object's path in the API.
func (k Key) Path() string { return "/v1/" + k.Kind.Info().Collection + "/" + k.ID() }

// ParseID reads an identifier of the form [Key.ID] writes. It checks the number of parts and each part's form.
func ParseID(kind Kind, id string) (Key, error) {
	key := Key{Kind: kind, Name: id}
	form := "NAME"
	if parent := kind.Info().Parent; parent != "" {
		form = strings.ToUpper(string(parent)) + "/NAME"
		var found bool
		if key.Parent, key.Name, found = strings.Cut(id, "/"); !found {
			return Key{}, fmt.Errorf("%q does not identify a %s: expected %s", id, kind.Label(), form)
		}
		if err := checkName(key.Parent); err != "" {
			return Key{}, fmt.Errorf("%q does not identify a %s (expected %s): %s %s", id, kind.Label(), form, parent, err)
		}
	}
	if err := checkName(key.Name); err != "" {
		return Key{}, fmt.Errorf("%q does not identify a %s (expected %s): the name %s", id, kind.Label(), form, err)
	}
	return key, nil
}

// Meta is what every object has beside its spec and status.
type Meta struct {
	Kind   Kind   `json:"kind" doc:"The kind of the object."`
	Name   string `json:"name" doc:"Name, chosen by the user, unique within the kind and parent. Never changes."`
	Parent string `json:"parent,omitempty" doc:"Name of the parent object, for kinds that have one."`
	// UID tells two objects of one name apart that lived at different times.
	UID string `json:"uid" doc:"Identifier chosen by the server. A deleted and re-created object has another one."`
	// Generation counts changes of the spec, from 1.
	Generation int64 `json:"generation" doc:"Counts changes of the spec, from 1."`
	// ResourceVersion grows with every write of any object in the store.
	ResourceVersion int64             `json:"resource_version" doc:"Changes with every write; send it in If-Match to update."`
	Labels          map[string]string `json:"labels,omitempty" doc:"Labels, for selecting objects in lists."`
	CreatedAt       time.Time         `json:"created_at" doc:"When the object was created."`
	UpdatedAt       time.Time         `json:"updated_at" doc:"When the object was last written."`
	// DeletionRequestedAt is set while the object is on its way out; it then takes no more changes of its spec.
	DeletionRequestedAt *time.Time `json:"deletion_requested_at,omitempty" doc:"When deletion was asked for; absent for a living object."`
}

// Key returns the key of the object that m describes.
func (m Meta) Key() Key { return Key{Kind: m.Kind, Parent: m.Parent, Name: m.Name} }

// Deleting reports whether deletion of the object was asked for.
func (m Meta) Deleting() bool { return m.DeletionRequestedAt != nil }

// Object is an object of one kind: what is wanted of it (Spec) and what was seen of it (Status).
type Object[S, T any] struct {
	Meta
	Spec   S `json:"spec" doc:"What is wanted."`
	Status T `json:"status" doc:"What the control plane saw."`
	// Warnings are in the answer to a dry run alone.
	Warnings []FieldError `json:"warnings,omitempty" doc:"Only in the response to a dry run: side effects of the change that users should know about."`
}

// Draft is what a client sends to create or update an object.
type Draft[S any] struct {
	Name   string            `json:"name" doc:"Name of the object."`
	Parent string            `json:"parent,omitempty" doc:"Name of the parent object, for kinds that have one."`
	Labels map[string]string `json:"labels,omitempty" doc:"Labels, for selecting objects in lists."`
	Spec   S                 `json:"spec" doc:"What is wanted."`
}

// Page is one page of a list.
type Page[S, T any] struct {
	Items []Object[S, T] `json:"items" doc:"The objects, ordered by parent and name."`
	// NextCursor continues the list; empty on the last page.
	NextCursor string `json:"next_cursor,omitempty" doc:"Send it as cursor to read the next page; absent on the last one."`
}

// MaxPageSize is the largest page a list returns: 10,000 objects are read in five requests.
const MaxPageSize = 2000

// Reference says that an object needs another one to exist, and where its spec says so.
type Reference struct {
	// Pointer is the JSON pointer (RFC 6901) of the field in the request that names the other object.
	Pointer string `json:"pointer"`
	To      Key    `json:"to"`
}

// Spec is what the specs of all kinds have in common. S is the spec's own type, a pointer to a struct.
type Spec interface {
	// SetDefaults fills in what the user left out.
	SetDefaults()
	// Validate checks the spec by itself, after SetDefaults. An empty result means valid.
	Validate() []FieldError
	// References lists the objects the spec names.
	References() []Reference
}

// UpdateValidator is implemented by specs with fields that cannot change, or not in every way.
type UpdateValidator[S any] interface {
	// ValidateUpdate checks the change from old to the receiver.
	ValidateUpdate(old S) []FieldError
}

// DeletionProtector is implemented by specs that can refuse their object's deletion.
type DeletionProtector interface {
	// DeletionProtected reports whether deletion must be refused.
	DeletionProtected() bool
}

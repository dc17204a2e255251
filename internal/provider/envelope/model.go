// Package envelope is what all resources and data sources of the provider do alike, written once: configure, decode,
// plan, create, read, update, delete, wait, import, and turning the server's problems into diagnostics at attributes.
// A kind adds its attributes and a model that converts to and from the API.
package envelope

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Common is the part of a model that all kinds share. A kind's model embeds it.
type Common struct {
	ID        types.String      `tfsdk:"id"`
	Name      types.String      `tfsdk:"name"`
	Labels    map[string]string `tfsdk:"labels"`
	LabelsAll types.Map         `tfsdk:"labels_all"`
	Phase     types.String      `tfsdk:"phase"`
	Timeouts  timeouts.Value    `tfsdk:"timeouts"`
}

// Base returns the shared part of a model.
func (c *Common) Base() *Common { return c }

// Parent returns where the name of the parent is kept: nowhere, for kinds at the top level. Models of children have
// their own.
func (c *Common) Parent() *types.String { return nil }

// Waits reports whether creates and updates wait until the object is ready.
func (c *Common) Waits() bool { return true }

// Model is a pointer to a kind's model M, which holds a resource's data as Terraform knows it. Embedding [Common]
// gives the first three methods.
type Model[M, S, T any] interface {
	*M
	Base() *Common
	Parent() *types.String
	Waits() bool
	// ToAPI returns the spec. What is null or unknown is left at the zero value.
	ToAPI() S
	// FromAPI takes everything over that is not in [Common]. The receiver holds what Terraform knew before, nothing
	// after an import: empty collections stay null or empty as they were.
	FromAPI(context.Context, *synapse.Object[S, T]) diag.Diagnostics
}

// explainer is implemented by models that can say more about a failure than the object's Ready condition.
type explainer[T any] interface{ Explain(*T) string }

// warner is implemented by models of objects that can be in a state which users must hear of although it is no error. The
// receiver holds what was seen of the object, and planned what is asked of it; after an apply they are the same.
type warner[M any] interface {
	Warnings(planned *M) diag.Diagnostics
}

// foreteller is implemented by models some of whose computed texts the server can tell before an apply, in its answer to a dry
// run. Terraform plans again right before it applies, and takes no other answer then: only what cannot come out otherwise may
// be foretold.
type foreteller[M, T any] interface {
	// Foretells reports whether there may be something to tell, of a change of prior, which is nil for a create.
	Foretells(prior *M) bool
	// Foretell returns the texts by attribute.
	Foretell(status *T) map[string]string
}

// located is implemented by models that hold addresses at synapsed. It is called before FromAPI.
type located interface{ Locate(endpoint string) }

// detailer is implemented by models whose data source shows what would only blow up the state of a resource.
type detailer[T any] interface {
	// Details returns the values of the definition's [Definition.Details].
	Details(context.Context, *T) (map[string]attr.Value, diag.Diagnostics)
}

// SpecOf is a pointer to a spec.
type SpecOf[S any] interface {
	*S
	synapse.Spec
}

// StatusOf is a pointer to a status.
type StatusOf[T any] interface {
	*T
	synapse.StatusHolder
}

// Definition says what is particular to a kind.
type Definition struct {
	Kind synapse.Kind
	// Description of the resource, in Markdown.
	Description string
	// Attributes that are not in [Common], with the attribute that names the parent.
	Attributes map[string]schema.Attribute
	// Volatile names the computed attributes that can change with any update, beside phase.
	Volatile []string
	// Timeouts that hold where the configuration sets none.
	Timeouts Timeouts
	// ProviderOnly names the attributes that the API does not know.
	ProviderOnly []string
	// CheckedWith names, for an attribute, others that its checks depend on, or attributes within them, such as a.b. While
	// one of them is not known, nothing is said of the attribute before the plan. Optional.
	CheckedWith map[string][]string
	// Presumed are texts that a plan often does not know while it knows all else. The server checks the rest with a value that
	// stands for any new one. Optional.
	Presumed []Presumed
	// Details are attributes that only the data source for one object has. The model must have a method Details then.
	Details map[string]schema.Attribute
}

// Presumed is a text in an attribute that is an object, and a value that stands for it while it is not known.
type Presumed struct{ Attribute, Name, Value string }

// Timeouts bound the operations on one object.
type Timeouts struct{ Create, Update, Delete time.Duration }

// KeepEmpty returns what the API says, except that it keeps apart an empty collection and none, which are one to the
// API, as prior has it.
func KeepEmpty[C ~[]E, E any](prior, api C) C {
	if len(api) == 0 {
		return emptyLike(prior)
	}
	return api
}

func emptyLike[C ~[]E, E any](prior C) C {
	if prior == nil {
		return nil
	}
	return C{}
}

// KeepEmptyMap is [KeepEmpty] for maps.
func KeepEmptyMap[C ~map[K]V, K comparable, V any](prior, api C) C {
	switch {
	case len(api) > 0:
		return api
	case prior == nil:
		return nil
	}
	return C{}
}

// Text is a string attribute that is null when the API says nothing.
func Text[T ~string](value T) types.String {
	if value == "" {
		return types.StringNull()
	}
	return types.StringValue(string(value))
}

// Time is an RFC 3339 timestamp, null when there is none.
func Time(value *time.Time) types.String {
	if value == nil {
		return types.StringNull()
	}
	return types.StringValue(value.UTC().Format(time.RFC3339))
}

package envelope

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// shape is what is made once for a kind and shared by all its instances.
type shape struct {
	def          Definition
	schema       schema.Schema
	identity     identityschema.Schema
	identityType tftypes.Type
	timeoutsNull timeouts.Value
	// inputs are the attributes that make up what is sent to the server.
	inputs []string
}

// Resource is the resource of one kind.
type Resource[M, S, T any, PM Model[M, S, T], PS SpecOf[S], PT StatusOf[T]] struct {
	*shape
	session *session.Session
}

// NewResource returns the constructor of a kind's resource, as the framework wants it.
func NewResource[M, S, T any, PM Model[M, S, T], PS SpecOf[S], PT StatusOf[T]](def Definition) func() resource.Resource {
	s := newShape(def)
	return func() resource.Resource { return &Resource[M, S, T, PM, PS, PT]{shape: s} }
}

func newShape(def Definition) *shape {
	ctx := context.Background() // schemas are built before any request
	s := &shape{def: def, schema: resourceSchema(ctx, def), identity: identitySchema(def.Kind)}
	s.identityType = s.identity.Type().TerraformType(ctx)
	s.timeoutsNull = timeoutsNull(s.schema)
	for name, attribute := range s.schema.Attributes {
		if (attribute.IsRequired() || attribute.IsOptional()) && name != "timeouts" {
			s.inputs = append(s.inputs, name)
		}
	}
	return s
}

// Metadata implements [resource.Resource].
func (r *Resource[M, S, T, PM, PS, PT]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + string(r.def.Kind)
}

// Schema implements [resource.Resource].
func (r *Resource[M, S, T, PM, PS, PT]) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.schema
}

// IdentitySchema implements [resource.ResourceWithIdentity].
func (r *Resource[M, S, T, PM, PS, PT]) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = r.identity
}

// Configure implements [resource.ResourceWithConfigure].
func (r *Resource[M, S, T, PM, PS, PT]) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	if req.ProviderData == nil {
		return // validation runs before the provider is configured
	}
	var diags diag.Diagnostics
	r.session, diags = SessionFrom(req.ProviderData)
	resp.Diagnostics.Append(diags...)
}

// SessionFrom returns the session in what the provider passes to its resources and data sources.
func SessionFrom(data any) (*session.Session, diag.Diagnostics) {
	s, ok := data.(*session.Session)
	if !ok {
		return nil, diag.Diagnostics{diag.NewErrorDiagnostic("Unexpected provider data",
			fmt.Sprintf("The provider passed %T. This is a bug in the provider: please report it.", data))}
	}
	return s, nil
}

// fresh returns a model that knows nothing yet.
func (r *Resource[M, S, T, PM, PS, PT]) fresh() PM {
	m := PM(new(M))
	m.Base().Timeouts = r.timeoutsNull
	return m
}

func (r *Resource[M, S, T, PM, PS, PT]) keyOf(m PM) synapse.Key {
	key := synapse.Key{Kind: r.def.Kind, Name: m.Base().Name.ValueString()}
	if parent := m.Parent(); parent != nil {
		key.Parent = parent.ValueString()
	}
	return key
}

// rawKey is the key of a raw plan or state; ok is false while part of it is not known.
func (s *shape) rawKey(attributes rawObject) (key synapse.Key, ok bool) {
	key.Kind = s.def.Kind
	if key.Name, ok = attributes.text("name"); !ok {
		return key, false
	}
	if parent := s.def.Kind.Info().Parent; parent != "" {
		key.Parent, ok = attributes.text(string(parent))
	}
	return key, ok
}

func (r *Resource[M, S, T, PM, PS, PT]) draft(m PM) synapse.Draft[S] {
	key := r.keyOf(m)
	return synapse.Draft[S]{
		Name: key.Name, Parent: key.Parent, Spec: m.ToAPI(),
		Labels: r.session.LabelsFor(m.Base().Labels),
	}
}

func (r *Resource[M, S, T, PM, PS, PT]) reads() *session.Cache[S, T] {
	return session.Reads[S, T](r.session, r.def.Kind)
}

// takeOver fills a model from an object. imported says that the model knows nothing of the object yet.
func (r *Resource[M, S, T, PM, PS, PT]) takeOver(ctx context.Context, m PM, object *synapse.Object[S, T], imported bool) diag.Diagnostics {
	return fill[M, S, T, PM, PT](ctx, r.session, m, object, r.session.DefaultLabels, imported)
}

// fill is takeOver for resources and data sources.
func fill[M, S, T any, PM Model[M, S, T], PT StatusOf[T]](ctx context.Context, s *session.Session, m PM, object *synapse.Object[S, T], defaults map[string]string, imported bool) diag.Diagnostics {
	if l, ok := any(m).(located); ok {
		l.Locate(s.Client.Endpoint())
	}
	common := m.Base()
	before := map[string]string{}
	for key := range common.LabelsAll.Elements() {
		before[key] = ""
	}
	labelsAll, diags := types.MapValueFrom(ctx, types.StringType, KeepEmptyMap(map[string]string{}, object.Labels))
	common.Labels = ownLabels(object.Labels, common.Labels, before, defaults, imported)
	common.LabelsAll = labelsAll
	common.ID = types.StringValue(object.Key().ID())
	common.Name = types.StringValue(object.Name)
	common.Phase = types.StringValue(string(PT(&object.Status).Common().Phase))
	if parent := m.Parent(); parent != nil {
		*parent = types.StringValue(object.Parent)
	}
	diags.Append(m.FromAPI(ctx, object)...)
	return diags
}

// privateData is the part of a response in which the provider keeps data of its own beside the state.
type privateData interface {
	SetKey(context.Context, string, []byte) diag.Diagnostics
}

// target is where the outcome of an operation goes.
type target struct {
	state    *tfsdk.State
	identity *tfsdk.ResourceIdentity
	private  privateData
}

// save writes an object to the state, with the identity and the fingerprint of what was read.
func (r *Resource[M, S, T, PM, PS, PT]) save(ctx context.Context, to target, m PM, object *synapse.Object[S, T], imported bool) diag.Diagnostics {
	diags := r.takeOver(ctx, m, object, imported)
	diags.Append(to.state.Set(ctx, m)...)
	r.setIdentity(to.identity, object.Key())
	mark, err := json.Marshal(r.session.FingerprintOf(object.Meta))
	if err != nil {
		diags.AddError("Encoding private state failed", err.Error())
		return diags
	}
	diags.Append(to.private.SetKey(ctx, session.FingerprintKey, mark)...)
	return diags
}

func (s *shape) setIdentity(identity *tfsdk.ResourceIdentity, key synapse.Key) {
	if identity == nil {
		return
	}
	values := map[string]tftypes.Value{"name": rawText(key.Name)}
	if key.Parent != "" {
		values[string(s.def.Kind.Info().Parent)] = rawText(key.Parent)
	}
	identity.Raw = tftypes.NewValue(s.identityType, values)
}

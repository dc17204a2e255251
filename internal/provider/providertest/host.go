package providertest

import (
	"context"
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"
)

// Host talks to a provider as Terraform does, in this process.
type Host struct {
	t      testing.TB
	server tfprotov6.ProviderServer
	types  map[string]tftypes.Object
	schema *tfprotov6.GetProviderSchemaResponse
}

// Resource is what Terraform keeps of one resource.
type Resource struct {
	State    tftypes.Value
	Private  []byte
	Identity *tfprotov6.ResourceIdentityData
}

// Attributes are the values of a configuration, plan or state.
type Attributes = map[string]tftypes.Value

// NewHost starts the provider and configures it for a server.
func NewHost(t testing.TB, p interface {
	Server() (tfprotov6.ProviderServer, error)
}, config Attributes) *Host {
	server, err := p.Server()
	require.NoError(t, err)
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	require.NoError(t, err)
	require.Empty(t, schema.Diagnostics)
	h := &Host{t: t, server: server, schema: schema, types: map[string]tftypes.Object{}}
	for name, s := range schema.ResourceSchemas {
		h.types[name] = s.ValueType().(tftypes.Object)
	}
	providerType := schema.Provider.ValueType().(tftypes.Object)
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.13.0", Config: h.pack(providerType, object(providerType, config)),
	})
	require.NoError(t, err)
	require.Empty(t, configured.Diagnostics)
	return h
}

// Schema is the provider's schema as Terraform sees it.
func (h *Host) Schema() *tfprotov6.GetProviderSchemaResponse { return h.schema }

// Server is the provider itself.
func (h *Host) Server() tfprotov6.ProviderServer { return h.server }

// Object is a value of a resource's type with some attributes set and all others null.
func (h *Host) Object(typeName string, attributes Attributes) tftypes.Value {
	return object(h.types[typeName], attributes)
}

func object(objectType tftypes.Object, attributes Attributes) tftypes.Value {
	all := make(Attributes, len(objectType.AttributeTypes))
	for name, attributeType := range objectType.AttributeTypes {
		all[name] = tftypes.NewValue(attributeType, nil)
	}
	maps.Copy(all, attributes)
	return tftypes.NewValue(objectType, all)
}

// Validate validates a configuration.
func (h *Host) Validate(typeName string, config Attributes) []*tfprotov6.Diagnostic {
	resp, err := h.server.ValidateResourceConfig(h.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: typeName, Config: h.pack(h.types[typeName], h.Object(typeName, config)),
	})
	require.NoError(h.t, err)
	return resp.Diagnostics
}

// Plan is what the provider plans.
type Plan struct {
	Planned         tftypes.Value
	Private         []byte
	RequiresReplace []*tftypes.AttributePath
	Diagnostics     []*tfprotov6.Diagnostic

	config   tftypes.Value
	identity *tfprotov6.ResourceIdentityData
}

// Plan plans a configuration for a resource that does not exist (nil) or does.
func (h *Host) Plan(typeName string, config Attributes, prior *Resource) Plan {
	configured := h.Object(typeName, config)
	return h.plan(typeName, configured, proposed(h.schema.ResourceSchemas[typeName].Block.Attributes, configured, prior), prior)
}

// PlanDestroy plans the destruction of a resource.
func (h *Host) PlanDestroy(typeName string, prior *Resource) Plan {
	null := tftypes.NewValue(h.types[typeName], nil)
	return h.plan(typeName, null, null, prior)
}

func (h *Host) plan(typeName string, config, proposed tftypes.Value, prior *Resource) Plan {
	objectType := h.types[typeName]
	request := &tfprotov6.PlanResourceChangeRequest{
		TypeName: typeName, Config: h.pack(objectType, config), ProposedNewState: h.pack(objectType, proposed),
		PriorState: h.pack(objectType, tftypes.NewValue(objectType, nil)),
	}
	plan := Plan{config: config}
	if prior != nil {
		request.PriorState, request.PriorPrivate, request.PriorIdentity = h.pack(objectType, prior.State), prior.Private, prior.Identity
		plan.identity = prior.Identity
	}
	resp, err := h.server.PlanResourceChange(h.t.Context(), request)
	require.NoError(h.t, err)
	plan.Diagnostics, plan.Private, plan.RequiresReplace = resp.Diagnostics, resp.PlannedPrivate, resp.RequiresReplace
	if resp.PlannedState != nil {
		plan.Planned = h.unpack(objectType, resp.PlannedState)
	}
	return plan
}

// Apply applies a plan to a resource that does not exist (nil) or does. What comes back is what Terraform would save.
func (h *Host) Apply(ctx context.Context, typeName string, plan Plan, prior *Resource) (*Resource, []*tfprotov6.Diagnostic) {
	objectType := h.types[typeName]
	request := &tfprotov6.ApplyResourceChangeRequest{
		TypeName: typeName, Config: h.pack(objectType, plan.config), PlannedState: h.pack(objectType, plan.Planned), PlannedPrivate: plan.Private,
		PriorState: h.pack(objectType, tftypes.NewValue(objectType, nil)), PlannedIdentity: plan.identity,
	}
	if prior != nil {
		request.PriorState = h.pack(objectType, prior.State)
	}
	resp, err := h.server.ApplyResourceChange(ctx, request)
	require.NoError(h.t, err)
	return h.saved(objectType, resp.NewState, resp.Private, resp.NewIdentity), resp.Diagnostics
}

// Read refreshes a resource; nil means that it is gone.
func (h *Host) Read(typeName string, prior *Resource) (*Resource, []*tfprotov6.Diagnostic) {
	objectType := h.types[typeName]
	resp, err := h.server.ReadResource(h.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: typeName, CurrentState: h.pack(objectType, prior.State), Private: prior.Private, CurrentIdentity: prior.Identity,
	})
	require.NoError(h.t, err)
	return h.saved(objectType, resp.NewState, resp.Private, resp.NewIdentity), resp.Diagnostics
}

// Import imports a resource and reads it, as Terraform does.
func (h *Host) Import(typeName, id string, identity *tfprotov6.ResourceIdentityData) (*Resource, []*tfprotov6.Diagnostic) {
	resp, err := h.server.ImportResourceState(h.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: typeName, ID: id, Identity: identity})
	require.NoError(h.t, err)
	if len(resp.Diagnostics) > 0 || len(resp.ImportedResources) == 0 {
		return nil, resp.Diagnostics
	}
	imported := resp.ImportedResources[0]
	return h.Read(typeName, h.saved(h.types[typeName], imported.State, imported.Private, imported.Identity))
}

// Imported is what Terraform has of a resource right after its import, before it is read.
func (h *Host) Imported(typeName, id string) *Resource {
	resp, err := h.server.ImportResourceState(h.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: typeName, ID: id})
	require.NoError(h.t, err)
	require.Empty(h.t, resp.Diagnostics)
	imported := resp.ImportedResources[0]
	return h.saved(h.types[typeName], imported.State, imported.Private, imported.Identity)
}

func (h *Host) saved(objectType tftypes.Object, state *tfprotov6.DynamicValue, private []byte, identity *tfprotov6.ResourceIdentityData) *Resource {
	if state == nil {
		return nil
	}
	value := h.unpack(objectType, state)
	if value.IsNull() {
		return nil
	}
	return &Resource{State: value, Private: private, Identity: identity}
}

func (h *Host) pack(valueType tftypes.Type, value tftypes.Value) *tfprotov6.DynamicValue {
	packed, err := tfprotov6.NewDynamicValue(valueType, value)
	require.NoError(h.t, err)
	return &packed
}

func (h *Host) unpack(valueType tftypes.Type, packed *tfprotov6.DynamicValue) tftypes.Value {
	value, err := packed.Unmarshal(valueType)
	require.NoError(h.t, err)
	return value
}

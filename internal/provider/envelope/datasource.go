package envelope

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// dataSource is what the data source for one object and the one for many have in common.
type dataSource[M, S, T any, PM Model[M, S, T], PT StatusOf[T]] struct {
	*shape
	session *session.Session
	schema  schema.Schema
}

// Schema implements [datasource.DataSource].
func (d *dataSource[M, S, T, PM, PT]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = d.schema
}

// Configure implements [datasource.DataSourceWithConfigure].
func (d *dataSource[M, S, T, PM, PT]) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	var diags diag.Diagnostics
	d.session, diags = SessionFrom(req.ProviderData)
	resp.Diagnostics.Append(diags...)
}

// attributes converts an object to the attributes of a data source, by way of the resource's model and schema.
func (d *dataSource[M, S, T, PM, PT]) attributes(ctx context.Context, object *synapse.Object[S, T]) (rawObject, diag.Diagnostics) {
	m := PM(new(M))
	m.Base().Timeouts = d.timeoutsNull
	// Without defaults, all labels are the object's own.
	diags := fill[M, S, T, PM, PT](ctx, d.session, m, object, nil, true)
	state := tfsdk.State{Schema: d.shape.schema, Raw: tftypes.NewValue(d.shape.schema.Type().TerraformType(ctx), nil)}
	diags.Append(state.Set(ctx, m)...)
	if diags.HasError() {
		return nil, diags
	}
	attributes := attributesOf(state.Raw)
	for _, name := range append(hiddenInData[:], d.def.ProviderOnly...) {
		delete(attributes, name)
	}
	return attributes, diags
}

// One is the data source for one object.
type One[M, S, T any, PM Model[M, S, T], PT StatusOf[T]] struct {
	dataSource[M, S, T, PM, PT]
}

// NewDataSource returns the constructor of the data source for one object of a kind.
func NewDataSource[M, S, T any, PM Model[M, S, T], PT StatusOf[T]](def Definition) func() datasource.DataSource {
	s := newShape(def)
	attributes := s.dataAttributes()
	maps.Copy(attributes, computedAll(def.Details))
	label := def.Kind.Label()
	attributes["name"] = schema.StringAttribute{Required: true, MarkdownDescription: "Name of the " + label + "."}
	if parent := def.Kind.Info().Parent; parent != "" {
		attributes[string(parent)] = schema.StringAttribute{Required: true, MarkdownDescription: fmt.Sprintf("Name of the %s that the %s belongs to.", parent.Label(), label)}
	}
	dataSchema := schema.Schema{MarkdownDescription: "Reads one " + label + ". One that does not exist is an error.", Attributes: attributes}
	return func() datasource.DataSource {
		return &One[M, S, T, PM, PT]{dataSource[M, S, T, PM, PT]{shape: s, schema: dataSchema}}
	}
}

// Metadata implements [datasource.DataSource].
func (d *One[M, S, T, PM, PT]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + string(d.def.Kind)
}

// Read implements [datasource.DataSource].
func (d *One[M, S, T, PM, PT]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	key, ok := d.rawKey(attributesOf(req.Config.Raw))
	if !ok {
		resp.Diagnostics.AddAttributeError(path.Root("name"), "Invalid value", "The name must not be empty.")
		return
	}
	if _, err := synapse.ParseID(key.Kind, key.ID()); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("name"), "Invalid value", capital(err.Error())+".")
		return
	}
	object, err := d.read(ctx, key)
	switch {
	case client.IsNotFound(err) || err == nil && object.Deleting():
		resp.Diagnostics.AddAttributeError(path.Root("name"), capital(key.String())+" does not exist",
			fmt.Sprintf("No such object, or it is deleted. If the same configuration creates it, refer to it as synapse_%s.<label>.name, so that Terraform creates it first.", key.Kind))
		return
	case err != nil:
		resp.Diagnostics.Append(ErrorDiagnostic("reading "+key.String(), err))
		return
	}
	attributes, diags := d.attributes(ctx, object)
	resp.Diagnostics.Append(diags...)
	details, diags := d.details(ctx, &object.Status)
	resp.Diagnostics.Append(diags...)
	if !resp.Diagnostics.HasError() {
		maps.Copy(attributes, details)
		resp.State.Raw = with(emptyState(resp.State.Raw), attributes)
	}
}

// details converts what only this data source shows.
func (d *One[M, S, T, PM, PT]) details(ctx context.Context, status *T) (rawObject, diag.Diagnostics) {
	m, ok := any(PM(new(M))).(detailer[T])
	if !ok {
		return nil, nil
	}
	values, diags := m.Details(ctx, status)
	result := rawObject{}
	for name, value := range values {
		raw, err := value.ToTerraformValue(ctx)
		if err != nil {
			diags.AddError("Unexpected value", fmt.Sprintf("The attribute %s cannot be encoded: %v. This is a bug in the provider: please report it.", name, err))
			continue
		}
		result[name] = raw
	}
	return result, diags
}

// read uses the read cache while planning. Once this run writes, anything may follow from what it wrote.
func (d *One[M, S, T, PM, PT]) read(ctx context.Context, key synapse.Key) (*synapse.Object[S, T], error) {
	if d.session.Writing() {
		return client.Get[S, T](ctx, d.session.Client, key)
	}
	return session.Reads[S, T](d.session, key.Kind).Read(ctx, key)
}

package envelope

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
)

// Many is the data source for the objects of a kind.
type Many[M, S, T any, PM Model[M, S, T], PT StatusOf[T]] struct {
	dataSource[M, S, T, PM, PT]
}

// NewListDataSource returns the constructor of the data source for many objects of a kind.
func NewListDataSource[M, S, T any, PM Model[M, S, T], PT StatusOf[T]](def Definition) func() datasource.DataSource {
	s := newShape(def)
	label, parent := def.Kind.Label(), def.Kind.Info().Parent
	attributes := map[string]schema.Attribute{
		"labels": schema.MapAttribute{Optional: true, ElementType: types.StringType,
			MarkdownDescription: fmt.Sprintf("Labels that each %s must have, all of them. Default: any.", label)},
		s.plural(): schema.MapNestedAttribute{Computed: true,
			MarkdownDescription: fmt.Sprintf("What was found: each %s by its `id`. What is being deleted is left out.", label),
			NestedObject:        schema.NestedAttributeObject{Attributes: s.dataAttributes()}},
	}
	if parent != "" {
		attributes[string(parent)] = schema.StringAttribute{Optional: true,
			MarkdownDescription: fmt.Sprintf("Name of the %s that each must belong to. Default: any.", parent.Label())}
	}
	dataSchema := schema.Schema{MarkdownDescription: fmt.Sprintf("Reads every %s, or those with certain labels.", label), Attributes: attributes}
	return func() datasource.DataSource {
		return &Many[M, S, T, PM, PT]{dataSource[M, S, T, PM, PT]{shape: s, schema: dataSchema}}
	}
}

// plural names the kind's objects as an attribute and in the name of the data source.
func (s *shape) plural() string { return strings.ReplaceAll(s.def.Kind.Info().Collection, "-", "_") }

// Metadata implements [datasource.DataSource].
func (d *Many[M, S, T, PM, PT]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.plural()
}

// Read implements [datasource.DataSource].
func (d *Many[M, S, T, PM, PT]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	config := attributesOf(req.Config.Raw)
	labels, _ := config.textMap("labels")
	options := client.ListOptions{Labels: labels}
	if parent := d.def.Kind.Info().Parent; parent != "" {
		options.Parent, _ = config.text(string(parent))
	}
	resultType, ok := d.schema.Attributes[d.plural()].GetType().TerraformType(ctx).(tftypes.Map)
	if !ok {
		resp.Diagnostics.AddError("Unexpected schema", "The result is not a map. This is a bug in the provider: please report it.")
		return
	}
	found := map[string]tftypes.Value{}
	for object, err := range client.List[S, T](ctx, d.session.Client, d.def.Kind, options) {
		if err != nil {
			resp.Diagnostics.Append(ErrorDiagnostic("listing the objects of kind "+d.def.Kind.Label(), err))
			return
		}
		if object.Deleting() {
			continue
		}
		attributes, diags := d.attributes(ctx, object)
		resp.Diagnostics.Append(diags...)
		if diags.HasError() {
			return
		}
		found[object.Key().ID()] = tftypes.NewValue(resultType.ElementType, map[string]tftypes.Value(attributes))
	}
	resp.State.Raw = with(req.Config.Raw, rawObject{d.plural(): tftypes.NewValue(resultType, found)})
}

package envelope

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// resourceSchema is the kind's attributes together with the shared ones.
func resourceSchema(ctx context.Context, def Definition) schema.Schema {
	label := def.Kind.Label()
	attributes := map[string]schema.Attribute{
		"id": schema.StringAttribute{
			Computed:            true,
			MarkdownDescription: idDescription(def.Kind),
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"name": schema.StringAttribute{
			Required: true,
			MarkdownDescription: fmt.Sprintf("Name of the %s: lower-case letters, digits and hyphens, at most %d characters, starting with a letter. "+
				"It never changes: another name is another %s.", label, synapse.MaxNameLength, label),
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
		"labels": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Labels of the " + label + ", for selecting it in data sources. They go over the provider's `default_labels`. Default: none.",
			Validators:          []validator.Map{mapvalidator.NoNullValues()},
		},
		"labels_all": schema.MapAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "All labels of the " + label + ": its own and the provider's `default_labels`.",
		},
		"phase": schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "The status in one word: `Pending`, `Progressing`, `Ready`, `Degraded` (it was ready, and something is wrong now), `Failed`, " +
				"`Deleting` or `Offboarded`. After `Failed`, the next plan has an update that tries again.",
		},
		"timeouts": timeoutsAttribute(ctx, def.Timeouts),
	}
	maps.Copy(attributes, def.Attributes)
	return schema.Schema{MarkdownDescription: def.Description, Attributes: attributes}
}

func timeoutsAttribute(ctx context.Context, defaults Timeouts) schema.Attribute {
	describe := func(operation string, value fmt.Stringer) string {
		return fmt.Sprintf("How long to wait for the %s, as a duration such as `90s` or `10m`. Default: `%s`.", operation, value)
	}
	attribute := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, CreateDescription: describe("creation", defaults.Create),
		Update: true, UpdateDescription: describe("update", defaults.Update),
		Delete: true, DeleteDescription: describe("deletion", defaults.Delete),
	})
	if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long Terraform waits for its operations on this object. Requests of users are not affected."
		return nested
	}
	return attribute
}

// identitySchema is what tells one object of a kind from all others.
func identitySchema(kind synapse.Kind) identityschema.Schema {
	attributes := map[string]identityschema.Attribute{
		"name": identityschema.StringAttribute{RequiredForImport: true, Description: "Name of the " + kind.Label() + "."},
	}
	if parent := kind.Info().Parent; parent != "" {
		attributes[string(parent)] = identityschema.StringAttribute{
			RequiredForImport: true, Description: fmt.Sprintf("Name of the %s that the %s belongs to.", parent.Label(), kind.Label()),
		}
	}
	return identityschema.Schema{Attributes: attributes}
}

func idDescription(kind synapse.Kind) string {
	if parent := kind.Info().Parent; parent != "" {
		return fmt.Sprintf("Identifier: `%s/name`.", parent)
	}
	return "Identifier: the name."
}

// timeoutsNull is the value of timeouts that are not configured.
func timeoutsNull(resource schema.Schema) timeouts.Value {
	attributeTypes := resource.Attributes["timeouts"].GetType().(attr.TypeWithAttributeTypes).AttributeTypes()
	return timeouts.Value{Object: types.ObjectNull(attributeTypes)}
}

package envelope

import (
	"fmt"
	"slices"

	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// hiddenInData are attributes of resources that data sources do not have: they are about how Terraform manages an
// object, and labels of a data source are all labels.
var hiddenInData = [...]string{"timeouts", "labels_all"}

// dataAttributes turns the attributes of a resource into those of a data source, all computed, so that no attribute is
// described twice.
func (s *shape) dataAttributes() map[string]datasource.Attribute {
	attributes := map[string]datasource.Attribute{}
	for name, attribute := range s.schema.Attributes {
		if !slices.Contains(hiddenInData[:], name) && !slices.Contains(s.def.ProviderOnly, name) {
			attributes[name] = Computed(attribute)
		}
	}
	attributes["labels"] = datasource.MapAttribute{
		Computed: true, ElementType: s.schema.Attributes["labels"].(schema.MapAttribute).ElementType,
		MarkdownDescription: "All labels of the " + s.def.Kind.Label() + ".",
	}
	return attributes
}

// Computed turns an attribute of a resource into one of a data source, with the same description.
func Computed(attribute schema.Attribute) datasource.Attribute {
	text := attribute.GetMarkdownDescription()
	switch a := attribute.(type) {
	case schema.StringAttribute:
		return datasource.StringAttribute{Computed: true, MarkdownDescription: text, CustomType: a.CustomType}
	case schema.BoolAttribute:
		return datasource.BoolAttribute{Computed: true, MarkdownDescription: text}
	case schema.Int64Attribute:
		return datasource.Int64Attribute{Computed: true, MarkdownDescription: text}
	case schema.Float64Attribute:
		return datasource.Float64Attribute{Computed: true, MarkdownDescription: text}
	case schema.SetAttribute:
		return datasource.SetAttribute{Computed: true, MarkdownDescription: text, ElementType: a.ElementType}
	case schema.ListAttribute:
		return datasource.ListAttribute{Computed: true, MarkdownDescription: text, ElementType: a.ElementType}
	case schema.MapAttribute:
		return datasource.MapAttribute{Computed: true, MarkdownDescription: text, ElementType: a.ElementType}
	case schema.SingleNestedAttribute:
		return datasource.SingleNestedAttribute{Computed: true, MarkdownDescription: text, Attributes: computedAll(a.Attributes)}
	case schema.MapNestedAttribute:
		return datasource.MapNestedAttribute{Computed: true, MarkdownDescription: text,
			NestedObject: datasource.NestedAttributeObject{Attributes: computedAll(a.NestedObject.Attributes)}}
	case schema.ListNestedAttribute:
		return datasource.ListNestedAttribute{Computed: true, MarkdownDescription: text,
			NestedObject: datasource.NestedAttributeObject{Attributes: computedAll(a.NestedObject.Attributes)}}
	}
	panic(fmt.Sprintf("envelope: data sources have no attribute for %T", attribute))
}

func computedAll(attributes map[string]schema.Attribute) map[string]datasource.Attribute {
	result := make(map[string]datasource.Attribute, len(attributes))
	for name, attribute := range attributes {
		result[name] = Computed(attribute)
	}
	return result
}

package failover

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func steps() schema.Attribute {
	return schema.ListNestedAttribute{
		Optional: true, Computed: true, Default: defaultSteps(),
		Validators:   []validator.List{listvalidator.NoNullValues(), listvalidator.SizeAtLeast(1)},
		NestedObject: schema.NestedAttributeObject{Attributes: stepAttributes()},
		MarkdownDescription: "What a failover does, in order. The database is promoted only after a fence, and traffic moves only after the database. " +
			"Default: `fence`, `promote_database`, `shift_traffic`, `verify`.",
	}
}

func stepAttributes() map[string]schema.Attribute {
	timeout := envelope.OptionalSpan("How long the step may take, `1s` to `24h`. Default: `30s`; of `approve` `1h`.")
	timeout.Computed = true
	timeout.PlanModifiers = append([]planmodifier.String{defaultTimeout()}, timeout.PlanModifiers...)
	return map[string]schema.Attribute{
		"type": schema.StringAttribute{
			Required: true, MarkdownDescription: "What is done: `scale` (the standby region gets replicas for all of the traffic), `fence` (the old primary database takes no write any more), " +
				"`promote_database` (the standby's database becomes the primary), `shift_traffic` (the global entry leads there), `verify` (it is healthy and takes writes), " +
				"`hook` (an HTTP endpoint must agree) or `approve` (somebody must).",
		},
		"timeout": timeout,
		"percent": schema.Int64Attribute{
			Optional: true, Computed: true, Validators: []validator.Int64{int64validator.AtLeast(1)}, PlanModifiers: []planmodifier.Int64{defaultPercent()},
			MarkdownDescription: "Of `scale`: percent of the preferred region's replicas, 1 to 1000. Default: `100`; none for other steps.",
		},
		"url": envelope.OptionalText("Of `hook`, where it is required: address to which the transition is POSTed as JSON; an answer of 2xx lets it go on. Default: none."),
	}
}

// defaultSteps makes the default list with the values that the steps' own defaults would give.
func defaultSteps() defaults.List {
	attributeTypes := map[string]attr.Type{}
	for name, attribute := range stepAttributes() {
		attributeTypes[name] = attribute.GetType()
	}
	var elements []attr.Value
	for _, step := range fallback().Steps {
		elements = append(elements, types.ObjectValueMust(attributeTypes, map[string]attr.Value{
			"type": envelope.Text(step.Type), "timeout": envelope.NewDuration(step.Timeout), "percent": percent(step), "url": envelope.Text(step.URL),
		}))
	}
	return listdefault.StaticValue(types.ListValueMust(types.ObjectType{AttrTypes: attributeTypes}, elements))
}

func defaultTimeout() planmodifier.String {
	return envelope.Derived("The default depends on the type of the step.", func(plan envelope.Planned, parent path.Path) types.String {
		step, known := stepAt(plan, parent)
		if !known {
			return types.StringUnknown()
		}
		return envelope.Text(step.Timeout)
	})
}

func defaultPercent() planmodifier.Int64 {
	return envelope.DerivedNumber("The default depends on the type of the step.", func(plan envelope.Planned, parent path.Path) types.Int64 {
		step, known := stepAt(plan, parent)
		if !known {
			return types.Int64Unknown()
		}
		return percent(step)
	})
}

// stepAt is a step of a type that a plan has, with all else at the defaults.
func stepAt(plan envelope.Planned, at path.Path) (step synapse.FailoverStep, known bool) {
	stepType := plan.Text(at.AtName("type"))
	spec := synapse.FailoverPolicySpec{Steps: []synapse.FailoverStep{{Type: synapse.FailoverStepType(stepType.ValueString())}}}
	spec.SetDefaults()
	return spec.Steps[0], !stepType.IsUnknown()
}

// percent is null for a step that has none.
func percent(step synapse.FailoverStep) types.Int64 {
	if step.Percent == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(int64(step.Percent))
}

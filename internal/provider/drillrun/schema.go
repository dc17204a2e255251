package drillrun

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// What the resource and the action say of their arguments.
const (
	describeDrill    = "Name of the `synapse_dr_drill` that is run."
	describeTriggers = "Values that the run is made for, such as the versions that it is evidence for, at most 64. They are in the report. Default: none."
	describeReason   = "Why, for the report, at most 500 characters. Default: none."
	describeMode     = "`execute`, or `plan_only`: check all that a run would check, and touch nothing. Default: `execute`."
)

func describeFailOn() string {
	return fmt.Sprintf("Verdicts that are an error: of %s. Those left out are a warning. Default: all of them.", words(failures()))
}

func words(verdicts []synapse.DrillVerdict) string {
	quoted := make([]string, len(verdicts))
	for i, verdict := range verdicts {
		quoted[i] = "`" + string(verdict) + "`"
	}
	return strings.Join(quoted, ", ")
}

func attributes() map[string]schema.Attribute {
	again := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	mode := envelope.Choice("", defaultMode())
	mode.MarkdownDescription, mode.PlanModifiers = describeMode+" Another value runs the drill anew.", again
	all := map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Optional: true, Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplaceIfConfigured()},
			MarkdownDescription: fmt.Sprintf("Name of the run: lower-case letters, digits and hyphens, at most %d characters, starting with a letter. A run happens once, so that each needs a name of its own. "+
				"Default: `drill-` and 8 random characters, chosen when it is created.", synapse.MaxNameLength),
		},
		"drill": schema.StringAttribute{Required: true, PlanModifiers: again, MarkdownDescription: describeDrill + " Another one is another run."},
		"triggers": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, PlanModifiers: []planmodifier.Map{mapplanmodifier.RequiresReplace()},
			Validators: []validator.Map{mapvalidator.NoNullValues()}, MarkdownDescription: "Values whose change runs the drill anew. " + describeTriggers,
		},
		"reason": schema.StringAttribute{
			Optional: true, PlanModifiers: again, Validators: envelope.NotEmpty(), MarkdownDescription: describeReason + " It is part of the evidence: another reason is another run.",
		},
		"mode": mode,
		"fail_on": schema.ListAttribute{
			Optional: true, Computed: true, ElementType: types.StringType, Default: listdefault.StaticValue(defaultFailOn()),
			Validators: knownVerdicts(), MarkdownDescription: describeFailOn(),
		},
	}
	for name, attribute := range seenAttributes() {
		all[name] = attribute
	}
	return all
}

func defaultMode() synapse.DrillMode {
	var spec synapse.DrillRunSpec
	spec.SetDefaults()
	return spec.Mode
}

func defaultFailOn() types.List {
	var elements []attr.Value
	for _, verdict := range failures() {
		elements = append(elements, envelope.Text(verdict))
	}
	return types.ListValueMust(types.StringType, elements)
}

func knownVerdicts() []validator.List {
	var known []string
	for _, verdict := range failures() {
		known = append(known, string(verdict))
	}
	return []validator.List{listvalidator.ValueStringsAre(stringvalidator.OneOf(known...)), listvalidator.UniqueValues()}
}

// seenAttributes are what synapsed says of a run.
func seenAttributes() map[string]schema.Attribute {
	span := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, CustomType: envelope.DurationType{}, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"phase":             envelope.Seen("Where the run is: `Waiting` (for the services to be free), `Running`, `Restoring` or `Ended`."),
		"verdict":           envelope.Seen("How it ended: " + words(synapse.Verdicts()) + "; null while it is under way."),
		"message":           envelope.Seen("Why the verdict is what it is, or what the run waits for."),
		"rto":               span("Measured recovery time, as a duration: the longer of the outages that requests and writes saw. Null if it was not measured."),
		"rpo":               span("Measured loss, as a duration: the time whose acknowledged writes were lost. Null if it was not measured."),
		"lost_markers":      schema.Int64Attribute{Computed: true, MarkdownDescription: "Acknowledged writes that were lost. Null if it was not measured."},
		"started_at":        envelope.Seen("When it began (RFC 3339); null before."),
		"ended_at":          envelope.Seen("When it ended, with everything undone (RFC 3339); null before."),
		"definition_digest": envelope.Seen("SHA-256, in hexadecimal, of the definition that was run; null before it is known."),
		"evidence_sha256":   envelope.Seen("SHA-256, in hexadecimal, of the report; null without one."),
		"report_url":        envelope.Seen("Address of the run's page in the console of synapsed."),
		"timeline": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "What was done, in order, and then how it was undone.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"step":       envelope.Seen("What is done, such as `inject_fault`, or undone, such as `end_fault`."),
				"state":      envelope.Seen("`pending`, `running`, `done`, `failed` or `skipped`."),
				"started_at": envelope.Seen("When it was stored as running, before any effect (RFC 3339); null before."),
				"ended_at":   envelope.Seen("When it ended (RFC 3339); null before."),
				"message":    envelope.Seen("What was seen, or what it waits for; null when there is nothing to say."),
			}},
		},
	}
}

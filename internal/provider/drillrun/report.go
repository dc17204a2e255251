package drillrun

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ReportSource is the data source synapse_dr_drill_report.
type ReportSource struct{ source }

// Report is the evidence of a run.
type Report struct {
	Run              types.String      `tfsdk:"run"`
	Drill            types.String      `tfsdk:"drill"`
	Verdict          types.String      `tfsdk:"verdict"`
	Message          types.String      `tfsdk:"message"`
	StartedAt        types.String      `tfsdk:"started_at"`
	FaultAt          types.String      `tfsdk:"fault_at"`
	EndedAt          types.String      `tfsdk:"ended_at"`
	Objectives       []Objective       `tfsdk:"objectives"`
	RTO              envelope.Duration `tfsdk:"rto"`
	RPO              envelope.Duration `tfsdk:"rpo"`
	LostMarkers      types.Int64       `tfsdk:"lost_markers"`
	Requests         Requests          `tfsdk:"requests"`
	Markers          Markers           `tfsdk:"markers"`
	DefinitionSHA256 types.String      `tfsdk:"definition_sha256"`
	EvidenceSHA256   types.String      `tfsdk:"evidence_sha256"`
	Verified         bool              `tfsdk:"verified"`
	JSON             types.String      `tfsdk:"json"`
}

// Objective is what had to be met, and what was measured.
type Objective struct {
	Name      types.String `tfsdk:"name"`
	Objective types.String `tfsdk:"objective"`
	Measured  types.String `tfsdk:"measured"`
	Met       bool         `tfsdk:"met"`
	Message   types.String `tfsdk:"message"`
}

// Outage is what lies between the last good answer before and the first after.
type Outage struct {
	LastGoodAt  types.String      `tfsdk:"last_good_at"`
	RecoveredAt types.String      `tfsdk:"recovered_at"`
	Outage      envelope.Duration `tfsdk:"outage"`
}

// Requests sums up the client's requests.
type Requests struct {
	Sent int64 `tfsdk:"sent"`
	Good int64 `tfsdk:"good"`
	Bad  int64 `tfsdk:"bad"`
	Outage
}

// Markers sums up the client's writes.
type Markers struct {
	Attempted int64             `tfsdk:"attempted"`
	Written   int64             `tfsdk:"written"`
	Lost      int64             `tfsdk:"lost"`
	LostSpan  envelope.Duration `tfsdk:"lost_span"`
	Outage
}

// NewReport returns the data source.
func NewReport() datasource.DataSource { return &ReportSource{} }

// Metadata implements [datasource.DataSource].
func (d *ReportSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_dr_drill_report"
}

// Schema implements [datasource.DataSource].
func (d *ReportSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads the report of a drill run that has ended: what was drilled, and what a client saw from outside. It is sealed with a digest, which is checked.",
		Attributes: map[string]schema.Attribute{
			"run":        schema.StringAttribute{Required: true, MarkdownDescription: "Name of the run."},
			"drill":      text("Name of the drill."),
			"verdict":    text("How it ended: " + words(synapse.Verdicts()) + "."),
			"message":    text("Why the verdict is what it is."),
			"started_at": text("When the run began (RFC 3339)."),
			"fault_at":   text("When the harm was begun (RFC 3339); null without any."),
			"ended_at":   text("When everything was undone (RFC 3339)."),
			"objectives": schema.ListNestedAttribute{Computed: true, MarkdownDescription: "What had to be met, and what was measured.", NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"name":      text("`rto`, `rpo`, `steady_state_before`, `steady_state_during` or `steady_state_after`."),
				"objective": text("What had to be met, such as `at most 30s`."),
				"measured":  text("What was measured, such as `1.84s`."),
				"met":       schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether it was met."},
				"message":   text("How it was measured; null when there is nothing to say."),
			}}},
			"rto":               span("Measured recovery time, as a duration: the longer of the outages that requests and writes saw. Null if it was not measured."),
			"rpo":               span("Measured loss, as a duration. Null if it was not measured."),
			"lost_markers":      schema.Int64Attribute{Computed: true, MarkdownDescription: "Acknowledged writes that were lost. Null if it was not measured."},
			"requests":          schema.SingleNestedAttribute{Computed: true, MarkdownDescription: "The client's requests through the global entry.", Attributes: requestAttributes()},
			"markers":           schema.SingleNestedAttribute{Computed: true, MarkdownDescription: "The client's writes through the database write endpoint.", Attributes: markerAttributes()},
			"definition_sha256": text("SHA-256, in hexadecimal, of the definition that was run."),
			"evidence_sha256":   text("SHA-256, in hexadecimal, with which the report is sealed."),
			"verified":          schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the report is what was sealed, and about the definition that it names."},
			"json":              text("The whole report, with its timeline, as JSON."),
		},
	}
}

func text(description string) schema.Attribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func span(description string) schema.Attribute {
	return schema.StringAttribute{Computed: true, CustomType: envelope.DurationType{}, MarkdownDescription: description}
}

func number(description string) schema.Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

func requestAttributes() map[string]schema.Attribute {
	return withOutage("good answer", map[string]schema.Attribute{
		"sent": number("Requests that were sent."),
		"good": number("Requests with a good answer in time."),
		"bad":  number("The other requests."),
	})
}

func markerAttributes() map[string]schema.Attribute {
	return withOutage("acknowledged write", map[string]schema.Attribute{
		"attempted": number("Writes that were tried."),
		"written":   number("Writes that were acknowledged."),
		"lost":      number("Acknowledged writes that the database does not have after the promotion."),
		"lost_span": span("From the last acknowledged write that was kept to the last that was lost, as a duration; null when none was."),
	})
}

func withOutage(what string, attributes map[string]schema.Attribute) map[string]schema.Attribute {
	attributes["last_good_at"] = text(fmt.Sprintf("Last %s before the outage (RFC 3339); null without one.", what))
	attributes["recovered_at"] = text(fmt.Sprintf("First %s after the outage (RFC 3339); null without one.", what))
	attributes["outage"] = span("Time between them, as a duration; null without an outage.")
	return attributes
}

// Read implements [datasource.DataSource].
func (d *ReportSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var name types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("run"), &name)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if bad := synapse.ValidateName("/run", name.ValueString()); len(bad) > 0 {
		resp.Diagnostics.AddAttributeError(path.Root("run"), "Invalid value", "The name of the run "+bad[0].Message+".")
		return
	}
	report, err := d.session.Client.DrillReport(ctx, name.ValueString())
	switch {
	case client.IsNotFound(err):
		resp.Diagnostics.AddAttributeError(path.Root("run"), "There is no such report",
			fmt.Sprintf("There is no run %s, or it has no report: nothing was done, or it is kept no longer. If the same configuration runs the drill, refer to the run as synapse_dr_drill_run.<label>.name.", name.ValueString()))
		return
	case err != nil:
		resp.Diagnostics.Append(envelope.ErrorDiagnostic("reading the report of drill run "+name.ValueString(), err))
		return
	}
	encoded, err := json.Marshal(report)
	if err != nil {
		resp.Diagnostics.AddError("The report cannot be encoded", err.Error())
		return
	}
	result := reportOf(report)
	result.Run, result.JSON = name, types.StringValue(string(encoded))
	resp.Diagnostics.Append(resp.State.Set(ctx, result)...)
}

func reportOf(report *synapse.DrillReport) Report {
	figures := measured(report)
	result := Report{
		Drill: envelope.Text(report.Drill), Verdict: envelope.Text(report.Verdict), Message: envelope.Text(report.Message),
		StartedAt: envelope.Time(&report.StartedAt), FaultAt: envelope.Time(report.FaultAt), EndedAt: envelope.Time(&report.EndedAt),
		Objectives: make([]Objective, 0, len(report.Objectives)),
		RTO:        envelope.NewDuration(figures.rto), RPO: envelope.NewDuration(figures.rpo), LostMarkers: types.Int64PointerValue(figures.lost),
		Requests: Requests{
			Sent: report.Requests.Sent, Good: report.Requests.Good, Bad: report.Requests.Bad,
			Outage: Outage{envelope.Time(report.Requests.LastGoodAt), envelope.Time(report.Requests.RecoveredAt), envelope.NewDuration(report.Requests.Outage)},
		},
		Markers: Markers{
			Attempted: report.Markers.Attempted, Written: report.Markers.Written, Lost: report.Markers.Lost, LostSpan: envelope.NewDuration(report.Markers.LostSpan),
			Outage: Outage{envelope.Time(report.Markers.LastGoodAt), envelope.Time(report.Markers.RecoveredAt), envelope.NewDuration(report.Markers.Outage)},
		},
		DefinitionSHA256: envelope.Text(report.DefinitionSHA256), EvidenceSHA256: envelope.Text(report.EvidenceSHA256), Verified: report.Verify() == nil,
	}
	for _, objective := range report.Objectives {
		result.Objectives = append(result.Objectives, Objective{
			Name: envelope.Text(objective.Name), Objective: envelope.Text(objective.Objective), Measured: envelope.Text(objective.Measured), Met: objective.Met, Message: envelope.Text(objective.Message),
		})
	}
	return result
}

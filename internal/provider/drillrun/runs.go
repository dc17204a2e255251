package drillrun

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// mostRuns is how many runs are returned where the configuration does not say.
const mostRuns = 100

// Runs is the data source synapse_dr_drill_runs. It is a list and no map, because runs have an order that matters.
type Runs struct{ source }

// Found is what the data source is asked for, and returns.
type Found struct {
	Drill   types.String      `tfsdk:"drill"`
	Verdict types.String      `tfsdk:"verdict"`
	Labels  map[string]string `tfsdk:"labels"`
	Limit   types.Int64       `tfsdk:"limit"`
	Runs    []Entry           `tfsdk:"dr_drill_runs"`
}

// Entry is one run.
type Entry struct {
	Name             types.String      `tfsdk:"name"`
	Drill            types.String      `tfsdk:"drill"`
	Mode             types.String      `tfsdk:"mode"`
	Reason           types.String      `tfsdk:"reason"`
	Labels           map[string]string `tfsdk:"labels"`
	RequestedBy      types.String      `tfsdk:"requested_by"`
	Phase            types.String      `tfsdk:"phase"`
	Verdict          types.String      `tfsdk:"verdict"`
	Message          types.String      `tfsdk:"message"`
	RTO              envelope.Duration `tfsdk:"rto"`
	RPO              envelope.Duration `tfsdk:"rpo"`
	LostMarkers      types.Int64       `tfsdk:"lost_markers"`
	StartedAt        types.String      `tfsdk:"started_at"`
	EndedAt          types.String      `tfsdk:"ended_at"`
	DefinitionDigest types.String      `tfsdk:"definition_digest"`
	EvidenceSHA256   types.String      `tfsdk:"evidence_sha256"`
	ReportURL        types.String      `tfsdk:"report_url"`
}

// NewRuns returns the data source.
func NewRuns() datasource.DataSource { return &Runs{} }

// Metadata implements [datasource.DataSource].
func (d *Runs) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_dr_drill_runs"
}

// Schema implements [datasource.DataSource].
func (d *Runs) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	entry := map[string]schema.Attribute{
		"name":         schema.StringAttribute{Computed: true, MarkdownDescription: "Name of the run."},
		"drill":        schema.StringAttribute{Computed: true, MarkdownDescription: "Name of the drill."},
		"mode":         schema.StringAttribute{Computed: true, MarkdownDescription: "`execute` or `plan_only`."},
		"reason":       schema.StringAttribute{Computed: true, MarkdownDescription: "Why it was run; null when nobody said."},
		"labels":       schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "All labels of the run."},
		"requested_by": schema.StringAttribute{Computed: true, MarkdownDescription: "Token of the user who asked for the run, or `schedule`."},
	}
	for _, name := range []string{"phase", "verdict", "message", "rto", "rpo", "lost_markers", "started_at", "ended_at", "definition_digest", "evidence_sha256", "report_url"} {
		entry[name] = envelope.Computed(seenAttributes()[name])
	}
	known := make([]string, 0, len(synapse.Verdicts()))
	for _, verdict := range synapse.Verdicts() {
		known = append(known, string(verdict))
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads the runs of drills, the newest first.",
		Attributes: map[string]schema.Attribute{
			"drill":   schema.StringAttribute{Optional: true, MarkdownDescription: "Name of the drill that was run. Default: any."},
			"verdict": schema.StringAttribute{Optional: true, Validators: []validator.String{stringvalidator.OneOf(known...)}, MarkdownDescription: "How the runs ended: " + words(synapse.Verdicts()) + ". Default: any, and runs that have not ended."},
			"labels":  schema.MapAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "Labels that each run must have, all of them. Default: any."},
			"limit": schema.Int64Attribute{Optional: true, Validators: []validator.Int64{int64validator.AtLeast(1)},
				MarkdownDescription: fmt.Sprintf("Most runs to return. Default: `%d`.", mostRuns)},
			"dr_drill_runs": schema.ListNestedAttribute{Computed: true, MarkdownDescription: "What was found, the newest first.", NestedObject: schema.NestedAttributeObject{Attributes: entry}},
		},
	}
}

// Read implements [datasource.DataSource].
func (d *Runs) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var found Found
	resp.Diagnostics.Append(req.Config.Get(ctx, &found)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var matching []*run
	for seen, err := range client.List[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, d.session.Client, synapse.KindDrillRun, client.ListOptions{Labels: found.Labels}) {
		if err != nil {
			resp.Diagnostics.Append(envelope.ErrorDiagnostic("listing the runs of drills", err))
			return
		}
		if !seen.Deleting() && fits(found.Drill, seen.Spec.Drill) && fits(found.Verdict, string(seen.Status.Verdict)) {
			matching = append(matching, seen)
		}
	}
	slices.SortStableFunc(matching, func(a, b *run) int { return b.CreatedAt.Compare(a.CreatedAt) })
	limit := mostRuns
	if !found.Limit.IsNull() {
		limit = int(found.Limit.ValueInt64())
	}
	found.Runs = make([]Entry, 0, min(limit, len(matching)))
	for _, seen := range matching[:min(limit, len(matching))] {
		found.Runs = append(found.Runs, d.entry(seen))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, found)...)
}

func fits(wanted types.String, value string) bool {
	return wanted.IsNull() || wanted.ValueString() == value
}

func (d *Runs) entry(seen *run) Entry {
	status := &seen.Status
	figures := measured(status.Report)
	entry := Entry{
		Name: types.StringValue(seen.Name), Drill: types.StringValue(seen.Spec.Drill), Mode: envelope.Text(seen.Spec.Mode), Reason: envelope.Text(seen.Spec.Reason),
		Labels: envelope.KeepEmptyMap(map[string]string{}, seen.Labels), RequestedBy: envelope.Text(status.RequestedBy),
		Phase: envelope.Text(status.State), Verdict: envelope.Text(status.Verdict), Message: envelope.Text(status.Message),
		RTO: envelope.NewDuration(figures.rto), RPO: envelope.NewDuration(figures.rpo), LostMarkers: types.Int64PointerValue(figures.lost),
		StartedAt: envelope.Time(status.StartedAt), EndedAt: envelope.Time(status.EndedAt), DefinitionDigest: envelope.Text(status.Digest),
		ReportURL: types.StringValue(reportURL(d.session.Client.Endpoint(), seen.Name)),
	}
	if status.Report != nil {
		entry.EvidenceSHA256 = envelope.Text(status.Report.EvidenceSHA256)
	}
	return entry
}

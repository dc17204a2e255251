package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Markdown writes a report for people: the verdict first, then what it rests on. What users wrote is text in it, whatever
// characters it has.
func Markdown(r *synapse.DrillReport) []byte {
	d := &document{}
	d.line("# Drill run %s: %s", code(r.Run), r.Verdict)
	d.line("")
	d.line("**Verdict: %s.** %s", r.Verdict, text(r.Message))
	d.summary(r)
	d.objectives(r)
	d.figures(r)
	d.steps(r)
	d.transitions(r)
	d.digests(r)
	d.definition(r)
	return d.Bytes()
}

// document collects lines.
type document struct{ bytes.Buffer }

// line adds a line without white space at its end, which means a line break in Markdown.
func (d *document) line(format string, args ...any) {
	fmt.Fprintln(d, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (d *document) heading(title string) {
	d.line("")
	d.line("## %s", title)
	d.line("")
}

// table writes rows, of which those with an empty last cell are left out when there are two cells: what is not known.
func (d *document) table(head []string, rows [][]string) {
	d.line("| %s |", strings.Join(head, " | "))
	d.line("|%s", strings.Repeat(" --- |", len(head)))
	for _, row := range rows {
		if len(row) == 2 && row[1] == "" {
			continue
		}
		d.line("| %s |", strings.Join(row, " | "))
	}
}

func (d *document) summary(r *synapse.DrillReport) {
	d.line("")
	d.table([]string{"Measured", "From outside"}, [][]string{
		{"Recovery time (RTO)", RTO(r)}, {"Loss (RPO)", RPO(r)}, {"Lost markers", Lost(r)},
	})
	d.heading("The run")
	scenario := r.Definition.Scenario
	d.table([]string{"What", ""}, [][]string{
		{"Drill", code(r.Drill)}, {"Failover policy", code(r.Policy)}, {"Environment", code(r.Environment)},
		{"Scenario", text(strings.TrimSpace(Words(scenario.Type) + " " + Words(scenario.Method)))}, {"Mode", Words(r.Mode)},
		{"Region harmed", code(r.Region)}, {"Active before", code(r.ActiveBefore)}, {"Active after", code(r.ActiveAfter)},
		{"Asked for by", text(r.RequestedBy)}, {"Approved by", text(r.ApprovedBy)}, {"Reason", text(r.Reason)},
		{"Began", Stamp(&r.StartedAt)}, {"Fault", Stamp(r.FaultAt)}, {"Ended", Stamp(&r.EndedAt)}, {"Took", Took(&r.StartedAt, &r.EndedAt)},
	})
}

func (d *document) objectives(r *synapse.DrillReport) {
	d.heading("Objectives")
	if len(r.Objectives) == 0 {
		d.line("None was measured.")
		return
	}
	var rows [][]string
	for _, o := range r.Objectives {
		met := "**no**"
		if o.Met {
			met = "yes"
		}
		rows = append(rows, []string{text(Words(o.Name)), text(o.Objective), text(o.Measured), met, text(o.Message)})
	}
	d.table([]string{"Objective", "Had to be", "Measured", "Met", "How it was measured"}, rows)
}

func (d *document) figures(r *synapse.DrillReport) {
	d.heading("Figures")
	if r.Requests.Sent+r.Markers.Attempted == 0 {
		d.line("Nothing was sent.")
		return
	}
	q, m := &r.Requests, &r.Markers
	d.table([]string{"", "Requests", "Markers written"}, [][]string{
		{"Sent", fmt.Sprint(q.Sent), fmt.Sprint(m.Attempted)},
		{"Good, or acknowledged", fmt.Sprint(q.Good), fmt.Sprint(m.Written)},
		{"Bad, or not acknowledged", fmt.Sprint(q.Bad), fmt.Sprint(m.Attempted - m.Written)},
		{"Acknowledged and lost", "", fmt.Sprint(m.Lost)},
		{"Last good answer before", Stamp(q.LastGoodAt), Stamp(m.LastGoodAt)},
		{"First good answer after", Stamp(q.RecoveredAt), Stamp(m.RecoveredAt)},
		{"Outage", string(q.Outage), string(m.Outage)},
	})
}

func (d *document) steps(r *synapse.DrillReport) {
	d.heading("Steps, and how they were undone")
	if len(r.Steps) == 0 {
		d.line("None began.")
		return
	}
	var rows [][]string
	for _, s := range r.Steps {
		rows = append(rows, []string{
			Words(s.Name), string(s.State), Stamp(s.StartedAt), Took(s.StartedAt, s.EndedAt), text(s.Message),
			Words(s.Inverse), string(s.InverseState), Stamp(s.InverseStarted), Took(s.InverseStarted, s.InverseEnded), text(s.InverseMessage),
		})
	}
	d.table([]string{"Step", "State", "Began", "Took", "What was seen", "Undone by", "State", "Began", "Took", "What was seen"}, rows)
}

func (d *document) transitions(r *synapse.DrillReport) {
	d.heading("Failovers and failbacks")
	if len(r.Transitions) == 0 {
		d.line("There was none.")
		return
	}
	for i, t := range r.Transitions {
		if i > 0 {
			d.line("")
		}
		d.line("### %s from %s to %s", t.Kind, code(t.From), or(code(t.To), "nowhere yet"))
		d.line("")
		d.line("%s (%s), began at %s, took %s. %s", t.Phase, text(t.Trigger), Stamp(&t.StartedAt), or(Took(&t.StartedAt, t.EndedAt), "no end yet"),
			text(or(t.Message, t.Reason)))
		d.line("")
		var rows [][]string
		for _, s := range t.Steps {
			rows = append(rows, []string{Words(s.Type), string(s.State), Stamp(s.StartedAt), Took(s.StartedAt, s.EndedAt), text(s.Message)})
		}
		d.table([]string{"Step", "State", "Began", "Took", "What was seen"}, rows)
	}
}

func (d *document) digests(r *synapse.DrillReport) {
	d.heading("Digests")
	d.table([]string{"SHA-256 of", ""}, [][]string{
		{"this report", code(r.EvidenceSHA256)}, {"the definition", code(r.DefinitionSHA256)}, {"the client's samples", code(r.SamplesSHA256)},
	})
	d.line("")
	d.line("To verify that the control plane still has this report, unchanged:")
	d.line("")
	d.fenced("sh", "synapsed drill report "+r.Run+" --verify")
	d.line("")
	d.line("The report's digest is that of its JSON (`--format json`) without white space and with an empty `evidence_sha256`. " +
		"The definition's is that of the definition below, in the same form, without `schedule`, `windows`, `approval`, `evidence`, `on_conflict` and `on_destroy`.")
}

func (d *document) definition(r *synapse.DrillReport) {
	d.heading("Definition")
	content, err := json.MarshalIndent(r.Definition, "", "  ")
	if err != nil {
		return // strings and numbers always encode
	}
	d.fenced("json", string(content))
}

// fenced writes a block whose fence is longer than any in it.
func (d *document) fenced(language, content string) {
	fence := "```"
	for strings.Contains(content, fence) {
		fence += "`"
	}
	d.line("%s%s\n%s\n%s", fence, language, content, fence)
}

func or(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

// special are the characters that mean something in Markdown or HTML. Each may be preceded by a backslash.
const special = "\\`*_{}[]<>()#+-!|~&$:@"

// text writes what users or programs wrote so that it is shown as it is, on one line.
func text(s string) string {
	var b strings.Builder
	for _, char := range strings.Join(strings.Fields(s), " ") {
		if strings.ContainsRune(special, char) {
			b.WriteByte('\\')
		}
		b.WriteRune(char)
	}
	return b.String()
}

// code writes a name in the type of code. One that could end the code is text.
func code(s string) string {
	switch {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|\n"):
		return text(s)
	}
	return "`" + s + "`"
}

package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// runView is the page of one drill run: live while it runs, afterwards its report.
type runView struct {
	Object runObject
	Head   head
	// DrillGone says that the drill was destroyed.
	DrillGone bool
	Running   bool
	Report    *reportView
}

// reportView is the report of a run that has ended.
type reportView struct {
	*synapse.DrillReport
	RTO, RPO, Lost string
	Picture        *drillPicture
	Transitions    []transitionView
	Definition     string
	// Problem says that the report is not what was sealed, or is empty.
	Problem string
}

func (c *console) run(w http.ResponseWriter, r *http.Request) {
	run, err := load[synapse.DrillRunSpec, synapse.DrillRunStatus](c, r, synapse.KindDrillRun)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	view := runView{Object: run, Head: headOf(run.Meta, run.Status.Status), Running: run.Status.State != synapse.DrillEnded}
	view.Head.Phase = string(run.Status.State)
	if run.Status.Message != "" {
		view.Head.Message = run.Status.Message
	}
	if run.Status.State == synapse.DrillEnded {
		view.Head.Phase = string(run.Status.Verdict)
	}
	_, err = c.Reader.Get(r.Context(), synapse.Key{Kind: synapse.KindDrill, Name: run.Spec.Drill})
	if view.DrillGone = errors.Is(err, store.ErrNotFound); err != nil && !view.DrillGone {
		c.fail(w, r, err)
		return
	}
	if view.Report, err = newReportView(run.Status.Report); err != nil {
		c.fail(w, r, err)
		return
	}
	if view.Report != nil {
		view.Head.Message = "" // it is beside the verdict
	}
	c.render(w, r, http.StatusOK, layout{Title: run.Name, Name: "run", Section: "Drills", Content: view, Live: view.Running})
}

func newReportView(r *synapse.DrillReport) (*reportView, error) {
	if r == nil {
		return nil, nil
	}
	definition, err := json.MarshalIndent(r.Definition, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the definition of a drill: %w", err)
	}
	view := &reportView{DrillReport: r, RTO: report.RTO(r), RPO: report.RPO(r), Lost: report.Lost(r), Picture: newDrillPicture(r), Definition: string(definition)}
	if err := r.Verify(); err != nil {
		view.Problem = err.Error()
	}
	for _, t := range r.Transitions {
		view.Transitions = append(view.Transitions, newTransitionView(t))
	}
	return view, nil
}

// reportJSON serves the report of a run as a file, to the session: the API's own address asks for a token.
func (c *console) reportJSON(w http.ResponseWriter, r *http.Request) {
	c.serveReport(w, r, "json", "application/json", func(found *synapse.DrillReport) ([]byte, error) {
		var indented bytes.Buffer
		encoder := json.NewEncoder(&indented)
		encoder.SetIndent("", "  ")
		err := encoder.Encode(found)
		return indented.Bytes(), err
	})
}

// reportMarkdown serves the report of a run as Markdown.
func (c *console) reportMarkdown(w http.ResponseWriter, r *http.Request) {
	c.serveReport(w, r, "md", "text/markdown; charset=utf-8", func(found *synapse.DrillReport) ([]byte, error) {
		return report.Markdown(found), nil
	})
}

func (c *console) serveReport(w http.ResponseWriter, r *http.Request, extension, contentType string, write func(*synapse.DrillReport) ([]byte, error)) {
	run, err := load[synapse.DrillRunSpec, synapse.DrillRunStatus](c, r, synapse.KindDrillRun)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if run.Status.Report == nil {
		c.problem(w, r, http.StatusNotFound, "This run has no report. It comes when the run has ended.")
		return
	}
	content, err := write(run.Status.Report)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", run.Name+"."+extension))
	_, _ = w.Write(content) // a client that went away is no fault of ours
}

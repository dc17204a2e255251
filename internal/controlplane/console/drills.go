package console

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	drillObject = synapse.Object[synapse.DrillSpec, synapse.DrillStatus]
	runObject   = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]
)

// runsShown is how many runs a page shows before it is asked for all.
const runsShown = 50

const runsParameter = "runs"

// drillsView is a page of drills.
type drillsView struct {
	listing[synapse.DrillSpec, synapse.DrillStatus]
	// Runs are the newest, also those of drills that are gone.
	Runs runsView
}

// runsView are runs, the newest first.
type runsView struct {
	Runs []runObject
	// Earlier is how many are not shown, and All the address of the page that shows them.
	Earlier int
	All     string
}

func (c *console) drills(w http.ResponseWriter, r *http.Request) {
	page, err := list[synapse.DrillSpec, synapse.DrillStatus](c, r, store.Query{Kind: synapse.KindDrill})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	runs, err := c.runsOf(r, "")
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: "Drills", Name: "drills", Section: "Drills", Content: drillsView{page, runs}, Live: true})
}

// drillView is the page of one drill.
type drillView struct {
	Object   drillObject
	Head     head
	Approval approvalView
	Runs     runsView
}

func (c *console) drill(w http.ResponseWriter, r *http.Request) {
	drill, err := load[synapse.DrillSpec, synapse.DrillStatus](c, r, synapse.KindDrill)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	runs, err := c.runsOf(r, drill.Name)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: drill.Name, Name: "drill", Section: "Drills", Live: true, Content: drillView{
		Object: drill, Head: headOf(drill.Meta, drill.Status.Status), Runs: runs,
		Approval: approvalOf(&drill, c.Platform(r.Context()).Environment, c.Now()),
	}})
}

// runsOf returns the runs of a drill, or of all when it is empty. Runs outlive their drill.
func (c *console) runsOf(r *http.Request, drill string) (runsView, error) {
	var view runsView
	query := store.Query{Kind: synapse.KindDrillRun, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for {
		records, next, err := c.Reader.List(r.Context(), query)
		if err != nil {
			return view, err
		}
		for _, record := range records {
			run, err := object.Decode[synapse.DrillRunSpec, synapse.DrillRunStatus](record)
			if err != nil {
				return view, err
			}
			if drill == "" || run.Spec.Drill == drill {
				view.Runs = append(view.Runs, run)
			}
		}
		if query.Cursor = next; next == "" {
			break
		}
	}
	slices.SortStableFunc(view.Runs, func(a, b runObject) int { return b.CreatedAt.Compare(a.CreatedAt) })
	if len(view.Runs) > runsShown && r.URL.Query().Get(runsParameter) != "all" {
		view.Earlier = len(view.Runs) - runsShown
		view.Runs = view.Runs[:runsShown]
		view.All = withParameter(r.URL, runsParameter, "all") + "#runs"
	}
	return view, nil
}

// approvalView says whether a drill's definition is approved.
type approvalView struct{ Word, Text, Tone string }

// approvalOf says whether a run of a drill would need an approval, and has one.
func approvalOf(drill *drillObject, environment string, now time.Time) approvalView {
	required := environment == synapse.Production || drill.Spec.Approval.Required != nil && *drill.Spec.Approval.Required
	approved := drill.Status.Approval
	switch {
	case approved != nil && approved.Digest == drill.Status.DefinitionDigest && now.Before(approved.Until):
		return approvalView{"approved", fmt.Sprintf("by %s, until %s", approved.By, stamp(approved.Until)), "good"}
	case !required:
		return approvalView{"not needed", "", "idle"}
	case approved == nil:
		return approvalView{"needed", "nobody has approved this definition: synapsed drill approve " + drill.Name, "warn"}
	case approved.Digest != drill.Status.DefinitionDigest:
		return approvalView{"needed", "the definition was changed since " + approved.By + " approved it: synapsed drill approve " + drill.Name, "warn"}
	}
	return approvalView{"needed", fmt.Sprintf("the approval by %s ended %s: synapsed drill approve %s", approved.By, stamp(approved.Until), drill.Name), "warn"}
}

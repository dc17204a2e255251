package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// maxTroubles is how many objects that are not ready the overview names.
const maxTroubles = 50

type overviewView struct {
	Platform synapse.Platform
	Kinds    []kindCount
	Troubles []trouble
	// Unnamed is how many more are not ready.
	Unnamed int64
	// Moving are the splits whose progression is under way.
	Moving []movingSplit
}

// kindCount counts the objects of one kind.
type kindCount struct {
	Label, URL      string
	Total, NotReady int64
}

// trouble is an object that is not ready.
type trouble struct {
	Kind    synapse.Kind
	ID      string
	Phase   synapse.Phase
	Message string
}

type movingSplit struct {
	Name  string
	State synapse.SplitState
}

// summaryAge is for how long one count of everything serves all who look: it takes a quarter of a second with 10,000 tenants.
const summaryAge = 4 * time.Second

// summary is the last count of everything.
type summary struct {
	mu      sync.Mutex
	counted time.Time
	view    overviewView
}

// overview shows how many objects there are and what needs a look.
func (c *console) overview(w http.ResponseWriter, r *http.Request) {
	view, err := c.summarize(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	view.Platform = c.Platform(r.Context())
	c.render(w, r, http.StatusOK, layout{Title: "Overview", Name: "overview", Section: "Overview", Content: view, Live: true})
}

// summarize counts everything, or returns a count that is recent enough. Who comes meanwhile waits for the same count.
func (c *console) summarize(ctx context.Context) (overviewView, error) {
	c.summary.mu.Lock()
	defer c.summary.mu.Unlock()
	now := c.Now()
	if !c.summary.counted.IsZero() && now.Sub(c.summary.counted) < summaryAge {
		return c.summary.view, nil
	}
	var view overviewView
	for _, kind := range []struct {
		kind       synapse.Kind
		label, url string
	}{
		{synapse.KindTrafficSplit, "Traffic splits", Root + "splits"},
		{synapse.KindServiceDeployment, "Deployments", Root + "deployments"},
		{synapse.KindService, "Services", Root + "deployments"},
		{synapse.KindTenant, "Tenants", Root + "tenants"},
		{synapse.KindRegion, "Regions", Root + "regions"},
		{synapse.KindSLO, "SLOs", Root + "slos"},
		{synapse.KindFailoverPolicy, "Failover policies", Root + "failover-policies"},
		{synapse.KindDrill, "Drills", Root + "dr-drills"},
	} {
		counted := kindCount{Label: kind.label, URL: kind.url}
		if err := c.tally(ctx, kind.kind, &counted, &view); err != nil {
			return overviewView{}, err
		}
		view.Kinds = append(view.Kinds, counted)
	}
	c.summary.counted, c.summary.view = now, view
	return view, nil
}

// tally counts all objects of a kind. It reads of their statuses only what is counted: there may be 10,000.
func (c *console) tally(ctx context.Context, kind synapse.Kind, counted *kindCount, view *overviewView) error {
	query := store.Query{Kind: kind, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for {
		records, next, err := c.Reader.List(ctx, query)
		if err != nil {
			return err
		}
		for _, record := range records {
			var status synapse.Status
			if err := json.Unmarshal(record.Status, &status); err != nil {
				return fmt.Errorf("reading the stored status of %s: %w", record.Key(), err)
			}
			counted.Total++
			if kind == synapse.KindTrafficSplit {
				if err := view.addMoving(record); err != nil {
					return err
				}
			}
			if ready(status, record.Meta) {
				continue
			}
			counted.NotReady++
			if len(view.Troubles) == maxTroubles {
				view.Unnamed++
				continue
			}
			view.Troubles = append(view.Troubles, trouble{kind, record.Key().ID(), status.Phase, status.Message()})
		}
		if query.Cursor = next; next == "" {
			return nil
		}
	}
}

// addMoving notes a split whose progression is under way.
func (v *overviewView) addMoving(record store.Record) error {
	split, err := object.Decode[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](record)
	if err == nil && split.Status.State.Phase.Live() {
		v.Moving = append(v.Moving, movingSplit{split.Name, split.Status.State})
	}
	return err
}

// ready reports whether nobody has to look: what was taken out of service on purpose is as it should be.
func ready(status synapse.Status, meta synapse.Meta) bool {
	if status.Phase == synapse.PhaseOffboarded {
		return true
	}
	return status.Phase == synapse.PhaseReady && status.ObservedGeneration >= meta.Generation
}

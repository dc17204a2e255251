package console

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type splitObject = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// splitView is the page of one traffic split.
type splitView struct {
	Object   splitObject
	Head     head
	State    synapse.SplitState
	Route    string
	Backends []backendView
	Bars     []weightBar
	Steps    []stage
	Waves    []stage
	Decision *decisionView
	Ranges   []rangeLink
	Charts   []chart
	Figures  figures
	History  []decisionView
	// Earlier is how many decisions are not shown, and All the address of the page that shows them.
	Earlier int
	All     string
}

// backendView is one backend of a split.
type backendView struct {
	Name, Role string
	Slot       int
	// Target is a deployment with a page, or an address outside.
	Target, Deployment string
}

// decisionView is one decision with the number that its marker in the charts has.
type decisionView struct {
	synapse.SplitDecision
	Number int
	Weighs string
}

// rangeLink is a choice of the time that the charts show.
type rangeLink struct {
	Label, URL string
	Current    bool
	length     time.Duration
}

const (
	rangeParameter   = "range"
	historyParameter = "history"
	// decisionsShown is how many decisions the page has before it is asked for all.
	decisionsShown = 20
)

// ranges are the times that charts can show; the first is the default.
func ranges(r *http.Request) (links []rangeLink, chosen time.Duration) {
	links = []rangeLink{
		{Label: "5 min", length: 5 * time.Minute}, {Label: "15 min", length: 15 * time.Minute}, {Label: "1 h", length: time.Hour},
		{Label: "6 h", length: 6 * time.Hour}, {Label: "24 h", length: 24 * time.Hour},
	}
	wanted := r.URL.Query().Get(rangeParameter)
	current := max(0, slices.IndexFunc(links, func(l rangeLink) bool { return l.length.String() == wanted }))
	for i := range links {
		links[i].URL = withParameter(r.URL, rangeParameter, links[i].length.String())
	}
	links[current].Current = true
	return links, links[current].length
}

func (c *console) split(w http.ResponseWriter, r *http.Request) {
	split, err := load[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](c, r, synapse.KindTrafficSplit)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	regions, err := c.regionNames(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	slots, state := slots(&split.Spec), split.Status.State
	links, length := ranges(r)
	view := splitView{
		Object: split, Head: headOf(split.Meta, split.Status.Status), State: state,
		Route: routeText(split.Spec.Route), Backends: backendsOf(&split.Spec, slots),
		Bars: weightBars(&state, regions, slots), Steps: steps(&split), Waves: waves(&split), Ranges: links,
	}
	view.Head.Phase = string(state.Phase)
	if state.Message != "" {
		view.Head.Message = state.Message
	}
	view.addHistory(r)
	to := c.Now()
	from := to.Add(-length)
	series := c.Series(split.Name, from)
	limits, err := c.limitsOf(r.Context(), split.Spec.Progression)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	view.Charts, view.Figures = charts(chartInput{
		from: from, to: to, series: series, slots: slots, decisions: decisionsOf(split.Status.History), limits: limits,
	})
	c.render(w, r, http.StatusOK, layout{Title: split.Name, Name: "split", Section: "Splits", Content: view, Live: true})
}

// decisionsOf numbers decisions from the oldest that is remembered.
func decisionsOf(history []synapse.SplitDecision) []decisionView {
	decisions := make([]decisionView, 0, len(history))
	for i, decision := range history {
		decisions = append(decisions, decisionView{decision, i + 1, synapse.DescribeWeights(decision.Weights)})
	}
	return decisions
}

// addHistory puts the newest decision first.
func (v *splitView) addHistory(r *http.Request) {
	v.History = decisionsOf(v.Object.Status.History)
	slices.Reverse(v.History)
	if last := v.State.LastDecision; last != nil {
		v.Decision = &decisionView{SplitDecision: *last, Weighs: synapse.DescribeWeights(last.Weights)}
	}
	if len(v.History) > decisionsShown && r.URL.Query().Get(historyParameter) != "all" {
		v.Earlier = len(v.History) - decisionsShown
		v.History = v.History[:decisionsShown]
		v.All = withParameter(r.URL, historyParameter, "all") + "#history"
	}
}

// slots gives each backend of a split a colour that it keeps: the stable one has the first.
func slots(spec *synapse.TrafficSplitSpec) map[string]int {
	slots := map[string]int{}
	for _, name := range append([]string{spec.Stable()}, spec.Candidates()...) {
		if name != "" {
			slots[name] = len(slots)
		}
	}
	return slots
}

func backendsOf(spec *synapse.TrafficSplitSpec, slots map[string]int) []backendView {
	views := make([]backendView, len(slots))
	for name, slot := range slots {
		backend := spec.Backends[name]
		views[slot] = backendView{Name: name, Role: string(backend.Role), Slot: slot, Target: backend.URL, Deployment: backend.Deployment}
	}
	return views
}

func routeText(route synapse.SplitRoute) string {
	text := route.Host + route.PathPrefix
	if len(route.Methods) > 0 {
		text = fmt.Sprintf("%v %s", route.Methods, text)
	}
	return text
}

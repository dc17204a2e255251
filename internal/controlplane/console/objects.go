package console

import (
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	regionObject     = synapse.Object[synapse.RegionSpec, synapse.RegionStatus]
	deploymentObject = synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus]
	sloObject        = synapse.Object[synapse.SLOSpec, synapse.SLOStatus]
)

func (c *console) regions(w http.ResponseWriter, r *http.Request) {
	page, err := list[synapse.RegionSpec, synapse.RegionStatus](c, r, store.Query{Kind: synapse.KindRegion})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: "Regions", Name: "regions", Section: "Regions", Content: page, Live: true})
}

func (c *console) region(w http.ResponseWriter, r *http.Request) {
	region, err := load[synapse.RegionSpec, synapse.RegionStatus](c, r, synapse.KindRegion)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: region.Name, Name: "region", Section: "Regions", Content: detail[regionObject]{
		region, headOf(region.Meta, region.Status.Status)}, Live: true})
}

// detail is the page of one object.
type detail[O any] struct {
	Object O
	Head   head
}

// head is what the pages of all kinds have at the top.
type head struct {
	Meta    synapse.Meta
	Status  synapse.Status
	Phase   string
	Message string
}

func headOf(meta synapse.Meta, status synapse.Status) head {
	return head{Meta: meta, Status: status, Phase: string(status.Phase), Message: status.Message()}
}

// deploymentsView is a page of deployments, each with its regions.
type deploymentsView struct {
	listing[synapse.DeploymentSpec, synapse.DeploymentStatus]
	// Service is the one whose deployments are shown, or empty for all.
	Service string
}

func (c *console) deployments(w http.ResponseWriter, r *http.Request) {
	service := r.URL.Query().Get("service")
	page, err := list[synapse.DeploymentSpec, synapse.DeploymentStatus](c, r,
		store.Query{Kind: synapse.KindServiceDeployment, Parent: service})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: "Deployments", Name: "deployments", Section: "Deployments",
		Content: deploymentsView{page, service}, Live: true})
}

func (c *console) deployment(w http.ResponseWriter, r *http.Request) {
	deployment, err := load[synapse.DeploymentSpec, synapse.DeploymentStatus](c, r, synapse.KindServiceDeployment)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: deployment.Key().ID(), Name: "deployment", Section: "Deployments",
		Content: detail[deploymentObject]{deployment, headOf(deployment.Meta, deployment.Status.Status)}, Live: true})
}

func (c *console) slos(w http.ResponseWriter, r *http.Request) {
	page, err := list[synapse.SLOSpec, synapse.SLOStatus](c, r, store.Query{Kind: synapse.KindSLO})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: "SLOs", Name: "slos", Section: "SLOs", Content: page})
}

func (c *console) slo(w http.ResponseWriter, r *http.Request) {
	slo, err := load[synapse.SLOSpec, synapse.SLOStatus](c, r, synapse.KindSLO)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, layout{Title: slo.Name, Name: "slo", Section: "SLOs",
		Content: detail[sloObject]{slo, headOf(slo.Meta, slo.Status.Status)}})
}

// splitRow is one traffic split in the list.
type splitRow struct {
	Object  splitObject
	Route   string
	Weights weightBar
	Step    string
}

type splitsView struct {
	listing[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]
	Rows []splitRow
}

func (c *console) splits(w http.ResponseWriter, r *http.Request) {
	page, err := list[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](c, r, store.Query{Kind: synapse.KindTrafficSplit})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	view := splitsView{listing: page}
	for _, split := range page.Items {
		view.Rows = append(view.Rows, splitRow{
			Object: split, Route: routeText(split.Spec.Route), Step: stepText(&split),
			Weights: newWeightBar("", split.Status.State.Weights, slots(&split.Spec)),
		})
	}
	c.render(w, r, http.StatusOK, layout{Title: "Traffic splits", Name: "splits", Section: "Splits", Content: view, Live: true})
}

// regionNames returns the names of all regions.
func (c *console) regionNames(r *http.Request) ([]string, error) {
	records, _, err := c.Reader.List(r.Context(), store.Query{Kind: synapse.KindRegion, Limit: synapse.MaxPageSize})
	names := make([]string, 0, len(records))
	for _, record := range records {
		names = append(names, record.Name)
	}
	return names, err
}

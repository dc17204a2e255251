package gcplab

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// regions are Google's, with the last letters of their zones: https://cloud.google.com/compute/docs/regions-zones.
var regions = map[string]string{
	"africa-south1": "abc",
	"asia-east1":    "abc", "asia-east2": "abc", "asia-northeast1": "abc", "asia-northeast2": "abc", "asia-northeast3": "abc",
	"asia-south1": "abc", "asia-south2": "abc", "asia-southeast1": "abc", "asia-southeast2": "abc",
	"australia-southeast1": "abc", "australia-southeast2": "abc",
	"europe-central2": "abc", "europe-north1": "abc", "europe-north2": "abc", "europe-southwest1": "abc",
	"europe-west1": "bcd", "europe-west2": "abc", "europe-west3": "abc", "europe-west4": "abc", "europe-west6": "abc",
	"europe-west8": "abc", "europe-west9": "abc", "europe-west10": "abc", "europe-west12": "abc",
	"me-central1": "abc", "me-central2": "abc", "me-west1": "abc",
	"northamerica-northeast1": "abc", "northamerica-northeast2": "abc", "northamerica-south1": "abc",
	"southamerica-east1": "abc", "southamerica-west1": "abc",
	"us-central1": "abcf", "us-east1": "bcd", "us-east4": "abc", "us-east5": "abc", "us-south1": "abc",
	"us-west1": "abc", "us-west2": "abc", "us-west3": "abc", "us-west4": "abc",
}

func zonesOf(region string) []string {
	var zones []string
	for _, letter := range regions[region] {
		zones = append(zones, region+"-"+string(letter))
	}
	return zones
}

func isZone(name string) bool {
	cut := strings.LastIndexByte(name, '-')
	return cut > 0 && slices.Contains(zonesOf(name[:cut]), name)
}

func isRegion(name string) bool { return regions[name] != "" }

// checkLocation refuses a location in a path that does not exist, for the services that have their own words for it.
func checkLocation(c *engine.Call) error {
	if location := c.After("locations"); location != "" && location != "global" && location != "-" && !isRegion(location) && !isZone(location) && !multiRegions[location] {
		return engine.Errorf(http.StatusBadRequest, "", "Location %q does not exist.", location)
	}
	if region := c.After("regions"); region != "" && !isRegion(region) {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'region': '%s'. Unknown region.", region)
	}
	if zone := c.After("zones"); zone != "" && !isZone(zone) && zone != "-" {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'zone': '%s'. Unknown zone.", zone)
	}
	return nil
}

var multiRegions = map[string]bool{"us": true, "europe": true, "asia": true, "eur4": true, "nam4": true, "asia1": true, "eur5": true, "eur7": true, "eur8": true}

func addLocations(service *engine.Service) {
	zone := func(project, name string) Object {
		cut := strings.LastIndexByte(name, '-')
		return Object{"kind": "compute#zone", "name": name, "status": "UP", "region": computeURL + "projects/" + project + "/regions/" + name[:cut], "selfLink": computeURL + "projects/" + project + "/zones/" + name}
	}
	region := func(project, name string) Object {
		var zones []any
		for _, zone := range zonesOf(name) {
			zones = append(zones, computeURL+"projects/"+project+"/zones/"+zone)
		}
		return Object{"kind": "compute#region", "name": name, "status": "UP", "zones": zones, "selfLink": computeURL + "projects/" + project + "/regions/" + name}
	}
	service.Methods["compute.zones.get"] = func(c *engine.Call) (any, error) {
		if !isZone(c.After("zones")) {
			return nil, c.Service.NotFound(c, c.Name())
		}
		return zone(c.Project().ID, c.After("zones")), nil
	}
	service.Methods["compute.regions.get"] = func(c *engine.Call) (any, error) {
		if !isRegion(c.After("regions")) {
			return nil, c.Service.NotFound(c, c.Name())
		}
		return region(c.Project().ID, c.After("regions")), nil
	}
	service.Methods["compute.zones.list"] = func(c *engine.Call) (any, error) {
		var items []any
		for name := range regions {
			for _, each := range zonesOf(name) {
				items = append(items, zone(c.Project().ID, each))
			}
		}
		return Object{"kind": "compute#zoneList", "items": items}, nil
	}
	service.Methods["compute.regions.list"] = func(c *engine.Call) (any, error) {
		var items []any
		for name := range regions {
			items = append(items, region(c.Project().ID, name))
		}
		return Object{"kind": "compute#regionList", "items": items}, nil
	}
	service.Methods["compute.projects.get"] = func(c *engine.Call) (any, error) {
		project := c.Project()
		return Object{"kind": "compute#project", "id": project.Number, "name": project.ID, "defaultNetworkTier": "PREMIUM",
			"defaultServiceAccount": project.Number + "-compute@developer.gserviceaccount.com", "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS"}, nil
	}
}

package gcplab

import (
	"net/http"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// fleetFeatures are those that a fleet has: https://cloud.google.com/kubernetes-engine/fleet-management/docs/fleet-features.
var fleetFeatures = []string{
	"configmanagement", "dataplanev2", "fleetobservability", "identityservice", "multiclusteringress", "multiclusterservicediscovery",
	"policycontroller", "rbacrolebindingactuation", "servicemesh", "clusterupgrade", "workloadcertificate",
}

// newFleet is fleets: https://cloud.google.com/kubernetes-engine/fleet-management/docs/reference/rest.
func newFleet(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.Kinds["gkehub.projects.locations.features"] = &engine.Kind{
		Default: func(_ *engine.Call, o Object) {
			o["resourceState"] = Object{"state": "ACTIVE"}
			engine.Default(o, Object{"spec": Object{}, "state": Object{"state": Object{"code": "OK"}}})
		},
		Check: func(c *engine.Call, _, o Object) error {
			feature := c.Path[len(c.Path)-1]
			if !slices.Contains(fleetFeatures, feature) {
				return engine.Errorf(http.StatusBadRequest, "", "Feature %q does not exist.", feature)
			}
			if feature == "multiclusteringress" && engine.Text(engine.Sub(o, "spec", "multiclusteringress"), "configMembership") == "" {
				return engine.Errorf(http.StatusBadRequest, "", "multiclusteringress needs spec.multiclusteringress.config_membership.")
			}
			return nil
		},
	}
	service.Kinds[memberships] = &engine.Kind{Default: func(_ *engine.Call, o Object) { o["state"] = Object{"code": "READY"} }}
	return service
}

// newNetworkServices is Network Services, of which load balancing policies are used here:
// https://cloud.google.com/load-balancing/docs/service-lb-policy.
func newNetworkServices(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.Kinds["networkservices.projects.locations.serviceLbPolicies"] = &engine.Kind{
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"loadBalancingAlgorithm": "WATERFALL_BY_REGION"})
		},
		Check: func(_ *engine.Call, _, o Object) error {
			threshold, ok := number(engine.Sub(o, "failoverConfig")["failoverHealthThreshold"])
			if ok && (threshold < 1 || threshold > 99) {
				return engine.Errorf(http.StatusBadRequest, "", "failover_config.failover_health_threshold must be from 1 to 99, and was %s.", itoa(threshold))
			}
			return nil
		},
	}
	return service
}

const memberships = "gkehub.projects.locations.memberships"

// joinFleet registers a cluster that has a fleet, as GKE does, and removes it from one that it has no more.
func joinFleet(c *engine.Call, cluster Object) {
	fleet := engine.Sub(cluster, "fleet")
	if engine.Text(fleet, "project") == "" {
		leaveFleet(c, &engine.Entry{Data: cluster})
		delete(cluster, "fleet")
		return
	}
	location, id := c.After("locations"), engine.Text(cluster, "name")
	name := "projects/" + c.Project().ID + "/locations/" + location + "/memberships/" + id
	full := "gkehub.googleapis.com/" + name
	fleet["preRegistered"] = false
	fleet["membership"], fleet["membershipId"], fleet["membershipLocation"] = "//"+full, id, location
	if c.Cloud.Get(full) != nil {
		return
	}
	c.Cloud.Put(full, memberships, Object{
		"name": name, "createTime": c.Time(), "updateTime": c.Time(), "uniqueId": c.Serial(), "state": Object{"code": "READY"},
		"endpoint":  Object{"gkeCluster": Object{"resourceLink": "//container.googleapis.com/" + c.Name()}, "googleManaged": true},
		"authority": Object{"issuer": "https://container.googleapis.com/v1/" + c.Name(), "workloadIdentityPool": c.Project().ID + ".svc.id.goog"},
	})
}

func leaveFleet(c *engine.Call, entry *engine.Entry) {
	if full := strings.TrimPrefix(engine.Text(engine.Sub(entry.Data, "fleet"), "membership"), "//"); full != "" {
		c.Cloud.Remove(full)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// kind is what the platform makes of one sort, and how to find and delete it.
type kind struct {
	// title is what it is called, in the singular.
	title string
	// verb and done say what is done to it, where that is not to delete it.
	verb, done string
	find       func(context.Context, *Sweeper) ([]thing, error)
	remove     func(context.Context, *Sweeper, thing) error
}

// thing is something that is there.
type thing struct {
	// owner is the name by which it belongs to an environment: its own, or that of what it is in.
	owner string
	// path is where its service has it.
	path string
	data object
}

// kinds are all of them in the order in which they can be deleted: first who uses, then what is used.
func kinds() []kind {
	return []kind{
		computeKind("forwarding rule", "forwardingRules", global),
		computeKind("target HTTPS proxy", "targetHttpsProxies", global),
		computeKind("target HTTP proxy", "targetHttpProxies", global),
		computeKind("URL map", "urlMaps", global),
		computeKind("backend service", "backendServices", global),
		computeKind("health check", "healthChecks", global),
		computeKind("security policy", "securityPolicies", global),
		computeKind("SSL policy", "sslPolicies", global),
		{title: "certificate map entry", find: mapEntries, remove: removeFrom(certificateManager)},
		certificateKind("certificate map", "certificateMaps"),
		certificateKind("certificate", "certificates"),
		certificateKind("DNS authorization", "dnsAuthorizations"),
		{title: "fleet feature", find: features, remove: removeFeature},
		{title: "cluster", find: clusters, remove: removeFrom(container)},
		// After the clusters, which would make those of their Services again.
		computeKind("network endpoint group", "networkEndpointGroups", global|regional),
		{title: "fleet membership", find: named(fleet, "projects/%s/locations/-/memberships", "resources"), remove: removeFrom(fleet)},
		{title: "Cloud SQL replica", find: instances(true), remove: removeInstance},
		{title: "Cloud SQL instance", find: instances(false), remove: removeInstance},
		{title: "DNS record", find: records, remove: removeFrom(dns)},
		{title: "DNS zone", find: zones, remove: removeFrom(dns)},
		{title: "service networking connection", find: connections, remove: removeConnection},
		computeKind("address", "addresses", global|regional),
		computeKind("router", "routers", regional),
		computeKind("firewall rule", "firewalls", global),
		computeKind("subnetwork", "subnetworks", regional),
		computeKind("network", "networks", global),
		monitoringKind("alert policy", "v3/projects/%s/alertPolicies", "alertPolicies", "v3/"),
		monitoringKind("uptime check", "v3/projects/%s/uptimeCheckConfigs", "uptimeCheckConfigs", "v3/"),
		monitoringKind("notification channel", "v3/projects/%s/notificationChannels", "notificationChannels", "v3/"),
		monitoringKind("dashboard", "v1/projects/%s/dashboards", "dashboards", "v1/"),
		{title: "service account", find: named(iam, "projects/%s/serviceAccounts", "accounts"), remove: removeFrom(iam)},
		// Neither key rings nor keys can be deleted, and neither costs anything: versions do, and rotation makes more of them.
		{title: "rotation of KMS key", verb: "end", done: "ended", find: rotations, remove: endRotation},
		{title: "KMS key version", verb: "destroy", done: "scheduled for destruction", find: versions, remove: destroyVersion},
	}
}

func removeFrom(at service) func(context.Context, *Sweeper, thing) error {
	return func(ctx context.Context, s *Sweeper, it thing) error {
		return s.Cloud.change(ctx, http.MethodDelete, at, it.path, nil)
	}
}

type places int

const (
	global places = 1 << iota
	regional
)

func computeKind(title, collection string, where places) kind {
	find := func(ctx context.Context, s *Sweeper) ([]thing, error) {
		var found []object
		if where&global != 0 {
			listed, err := s.Cloud.list(ctx, compute, "projects/"+s.Project+"/global/"+collection, "items")
			if err != nil {
				return nil, err
			}
			found = append(found, listed...)
		}
		if where&regional != 0 {
			listed, err := s.Cloud.aggregated(ctx, s.Project, collection)
			if err != nil {
				return nil, err
			}
			found = append(found, listed...)
		}
		var things []thing
		seen := map[string]bool{} // an aggregated list may have the global ones, too
		for _, each := range found {
			_, path, ok := strings.Cut(text(each, "selfLink"), "/projects/")
			if ok && !seen[path] {
				seen[path] = true
				things = append(things, thing{owner: text(each, "name"), path: "projects/" + path, data: each})
			}
		}
		return things, nil
	}
	return kind{title: title, find: find, remove: removeFrom(compute)}
}

// named lists objects whose name is their path.
func named(at service, list, field string) func(context.Context, *Sweeper) ([]thing, error) {
	return func(ctx context.Context, s *Sweeper) ([]thing, error) {
		return s.within(ctx, at, fmt.Sprintf(list, s.Project), field, "")
	}
}

// within lists objects whose name is their path, and which belong to owner, or if that is empty to their own last name.
func (s *Sweeper) within(ctx context.Context, at service, list, field, owner string) ([]thing, error) {
	listed, err := s.Cloud.list(ctx, at, list, field)
	if err != nil {
		return nil, err
	}
	things := make([]thing, len(listed))
	for i, each := range listed {
		path := text(each, "name")
		things[i] = thing{owner: owner, path: path, data: each}
		if owner == "" {
			things[i].owner = last(path)
		}
	}
	return things, nil
}

// inEach lists what is in each of the outer things that are to be swept.
func inEach(ctx context.Context, s *Sweeper, outer func(context.Context, *Sweeper) ([]thing, error), inner func(thing) ([]thing, error)) ([]thing, error) {
	found, err := outer(ctx, s)
	if err != nil {
		return nil, err
	}
	var things []thing
	for _, each := range found {
		if !s.old(each.owner) {
			continue
		}
		more, err := inner(each)
		if err != nil {
			return nil, err
		}
		things = append(things, more...)
	}
	return things, nil
}

func certificateKind(title, collection string) kind {
	return kind{title: title, find: named(certificateManager, "projects/%s/locations/global/"+collection, collection), remove: removeFrom(certificateManager)}
}

func mapEntries(ctx context.Context, s *Sweeper) ([]thing, error) {
	maps := named(certificateManager, "projects/%s/locations/global/certificateMaps", "certificateMaps")
	return inEach(ctx, s, maps, func(outer thing) ([]thing, error) {
		return s.within(ctx, certificateManager, outer.path+"/certificateMapEntries", "certificateMapEntries", outer.owner)
	})
}

// features have names that Google gives, and a project has each of them once. Left behind, they would be in the way of the next
// test; whose they are is said by the label that the platform gives to all that it makes.
func features(ctx context.Context, s *Sweeper) ([]thing, error) {
	found, err := s.within(ctx, fleet, "projects/"+s.Project+"/locations/global/features", "resources", "")
	for i := range found {
		labels, _ := found[i].data["labels"].(object)
		found[i].owner = text(labels, "environment")
	}
	return found, err
}

// removeFeature does not mind what a feature has made in clusters: these go next.
func removeFeature(ctx context.Context, s *Sweeper, it thing) error {
	return s.Cloud.change(ctx, http.MethodDelete, fleet, it.path+"?force=true", nil)
}

func clusters(ctx context.Context, s *Sweeper) ([]thing, error) {
	listed, err := s.Cloud.list(ctx, container, "projects/"+s.Project+"/locations/-/clusters", "clusters")
	if err != nil {
		return nil, err
	}
	things := make([]thing, len(listed))
	for i, each := range listed {
		name := text(each, "name")
		things[i] = thing{owner: name, path: "projects/" + s.Project + "/locations/" + text(each, "location") + "/clusters/" + name, data: each}
	}
	return things, nil
}

func instances(replicas bool) func(context.Context, *Sweeper) ([]thing, error) {
	return func(ctx context.Context, s *Sweeper) ([]thing, error) {
		listed, err := s.Cloud.list(ctx, sql, "projects/"+s.Project+"/instances", "items")
		if err != nil {
			return nil, err
		}
		var things []thing
		for _, each := range listed {
			if replica := text(each, "masterInstanceName") != ""; replica == replicas {
				name := text(each, "name")
				things = append(things, thing{owner: name, path: "projects/" + s.Project + "/instances/" + name, data: each})
			}
		}
		return things, nil
	}
}

func removeInstance(ctx context.Context, s *Sweeper, it thing) error {
	settings, _ := it.data["settings"].(object)
	if protected, _ := settings["deletionProtectionEnabled"].(bool); protected {
		open := object{"settings": object{"deletionProtectionEnabled": false}}
		if err := s.Cloud.change(ctx, http.MethodPatch, sql, it.path, open); err != nil {
			return fmt.Errorf("take its protection away: %w", err)
		}
		settings["deletionProtectionEnabled"] = false
	}
	return s.Cloud.change(ctx, http.MethodDelete, sql, it.path, nil)
}

func zones(ctx context.Context, s *Sweeper) ([]thing, error) {
	listed, err := s.Cloud.list(ctx, dns, "projects/"+s.Project+"/managedZones", "managedZones")
	if err != nil {
		return nil, err
	}
	things := make([]thing, len(listed))
	for i, each := range listed {
		name := text(each, "name")
		things[i] = thing{owner: name, path: "projects/" + s.Project + "/managedZones/" + name, data: each}
	}
	return things, nil
}

func records(ctx context.Context, s *Sweeper) ([]thing, error) {
	return inEach(ctx, s, zones, func(zone thing) ([]thing, error) {
		listed, err := s.Cloud.list(ctx, dns, zone.path+"/rrsets", "rrsets")
		if err != nil {
			return nil, err
		}
		var things []thing
		for _, each := range listed {
			name, kind := text(each, "name"), text(each, "type")
			if name == text(zone.data, "dnsName") && (kind == "NS" || kind == "SOA") {
				continue // these go with the zone
			}
			things = append(things, thing{owner: zone.owner, path: zone.path + "/rrsets/" + url.PathEscape(name) + "/" + kind})
		}
		return things, nil
	})
}

const peering = "servicenetworking-googleapis-com"

// connections are at the networks, whose peering each of them is.
func connections(ctx context.Context, s *Sweeper) ([]thing, error) {
	networks, err := computeKind("", "networks", global).find(ctx, s)
	if err != nil {
		return nil, err
	}
	var things []thing
	for _, network := range networks {
		for _, each := range objects(network.data, "peerings") {
			if text(each, "name") == peering {
				things = append(things, network)
			}
		}
	}
	return things, nil
}

// removeConnection deletes a connection. Google refuses that for days after the last instance has gone, because it may still be
// restored. Then just the peering goes, so that the network can: https://cloud.google.com/vpc/docs/configure-private-services-access.
func removeConnection(ctx context.Context, s *Sweeper, it thing) error {
	project, err := s.Cloud.get(ctx, resourceManager, "projects/"+s.Project)
	if err != nil {
		return fmt.Errorf("find the project's number: %w", err)
	}
	network := "projects/" + text(project, "projectNumber") + "/global/networks/" + it.owner
	refused := s.Cloud.change(ctx, http.MethodPost, serviceNetworking, "services/servicenetworking.googleapis.com/connections/"+peering, object{"consumerNetwork": network})
	var why *refusal
	if !errors.As(refused, &why) || !why.has("FAILED_PRECONDITION") && !why.says("still using") {
		return refused
	}
	// An instance that is there would be cut off.
	listed, err := s.Cloud.list(ctx, sql, "projects/"+s.Project+"/instances", "items")
	if err != nil {
		return err
	}
	for _, instance := range listed {
		settings, _ := instance["settings"].(object)
		addresses, _ := settings["ipConfiguration"].(object)
		if last(text(addresses, "privateNetwork")) == it.owner {
			return refused
		}
	}
	return s.Cloud.change(ctx, http.MethodPost, compute, it.path+"/removePeering", object{"name": peering})
}

func monitoringKind(title, list, field, version string) kind {
	find := func(ctx context.Context, s *Sweeper) ([]thing, error) {
		listed, err := s.Cloud.list(ctx, monitoring, fmt.Sprintf(list, s.Project), field)
		if err != nil {
			return nil, err
		}
		things := make([]thing, len(listed))
		for i, each := range listed {
			// What Google names itself has ours for people.
			things[i] = thing{owner: text(each, "displayName"), path: version + text(each, "name"), data: each}
		}
		return things, nil
	}
	return kind{title: title, find: find, remove: removeFrom(monitoring)}
}

func keyRings(ctx context.Context, s *Sweeper) ([]thing, error) {
	// KMS takes no "-" for all locations.
	locations, err := s.Cloud.list(ctx, kms, "projects/"+s.Project+"/locations", "locations")
	if err != nil {
		return nil, err
	}
	var rings []thing
	for _, location := range locations {
		found, err := s.within(ctx, kms, "projects/"+s.Project+"/locations/"+text(location, "locationId")+"/keyRings", "keyRings", "")
		if err != nil {
			return nil, err
		}
		rings = append(rings, found...)
	}
	return rings, nil
}

func keys(ctx context.Context, s *Sweeper) ([]thing, error) {
	return inEach(ctx, s, keyRings, func(ring thing) ([]thing, error) {
		return s.within(ctx, kms, ring.path+"/cryptoKeys", "cryptoKeys", ring.owner)
	})
}

func rotations(ctx context.Context, s *Sweeper) ([]thing, error) {
	found, err := keys(ctx, s)
	var things []thing
	for _, key := range found {
		if text(key.data, "rotationPeriod") != "" || text(key.data, "nextRotationTime") != "" {
			things = append(things, key)
		}
	}
	return things, err
}

func endRotation(ctx context.Context, s *Sweeper, key thing) error {
	return s.Cloud.change(ctx, http.MethodPatch, kms, key.path+"?updateMask=rotationPeriod,nextRotationTime", object{})
}

func versions(ctx context.Context, s *Sweeper) ([]thing, error) {
	return inEach(ctx, s, keys, func(key thing) ([]thing, error) {
		found, err := s.within(ctx, kms, key.path+"/cryptoKeyVersions", "cryptoKeyVersions", key.owner)
		var things []thing
		for _, version := range found {
			if state := text(version.data, "state"); state == "ENABLED" || state == "DISABLED" {
				things = append(things, version)
			}
		}
		return things, err
	})
}

func destroyVersion(ctx context.Context, s *Sweeper, version thing) error {
	return s.Cloud.change(ctx, http.MethodPost, kms, version.path+":destroy", object{})
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

package gcplab

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// addEndpointGroups is network endpoint groups: https://cloud.google.com/load-balancing/docs/negs.
func addEndpointGroups(service *engine.Service) {
	kind := &engine.Kind{
		Immutable: []string{"name", "network", "subnetwork", "networkEndpointType", "defaultPort"},
		Default: func(c *engine.Call, o Object) {
			engine.Default(o, Object{"networkEndpointType": "GCE_VM_IP_PORT", "size": 0})
			if kind := o["networkEndpointType"]; c.After("zones") != "" && (kind == "GCE_VM_IP_PORT" || kind == "NON_GCP_PRIVATE_IP_PORT") {
				engine.Default(o, Object{"network": computeURL + "projects/" + c.Project().ID + "/global/networks/default"})
			}
		},
		Check: checkEndpointGroup,
	}
	for _, collection := range []string{"networkEndpointGroups", "globalNetworkEndpointGroups"} {
		service.Kinds["compute."+collection] = kind
		service.Methods["compute."+collection+".attachNetworkEndpoints"] = attachEndpoints
		service.Methods["compute."+collection+".detachNetworkEndpoints"] = detachEndpoints
		service.Methods["compute."+collection+".listNetworkEndpoints"] = func(c *engine.Call) (any, error) {
			entry, err := c.Up(1).Target()
			if err != nil {
				return nil, err
			}
			var items []any
			for _, endpoint := range engine.Objects(entry.Data, hiddenEndpoints) {
				items = append(items, Object{"networkEndpoint": endpoint, "healths": []any{}})
			}
			return Object{"kind": "compute#networkEndpointGroupsListNetworkEndpoints", "items": items}, nil
		}
	}
	kind.Read = func(_ *engine.Call, o Object) { delete(o, hiddenEndpoints) }
}

// hiddenEndpoints is the field in which a group keeps its endpoints. Google shows them by listNetworkEndpoints alone.
const hiddenEndpoints = "-endpoints"

func checkEndpointGroup(c *engine.Call, old, o Object) error {
	if err := checkLocation(c); err != nil || old != nil {
		return err
	}
	if name := engine.Text(o, "name"); len(name) > 63 || !nameLike(name) {
		return invalidField("name", name, "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'")
	}
	kind := engine.Text(o, "networkEndpointType")
	global := c.After("zones") == ""
	internet := kind == "INTERNET_FQDN_PORT" || kind == "INTERNET_IP_PORT"
	switch {
	case global && !internet:
		return invalidField("networkEndpointType", kind, "A global network endpoint group has endpoints of type INTERNET_FQDN_PORT or INTERNET_IP_PORT.")
	case !global && internet:
		return invalidField("networkEndpointType", kind, "A zonal network endpoint group cannot have internet endpoints.")
	case internet && engine.Text(o, "network") != "":
		return invalidField("network", o["network"], "Network must not be set for internet endpoints.")
	case kind == "NON_GCP_PRIVATE_IP_PORT" && engine.Text(o, "subnetwork") != "":
		return invalidField("subnetwork", o["subnetwork"], "Subnetwork must not be set for NON_GCP_PRIVATE_IP_PORT.")
	case !internet && engine.Text(o, "network") == "":
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.network' not specified")
	}
	return nil
}

func attachEndpoints(c *engine.Call) (any, error) {
	entry, err := c.Up(1).Target()
	if err != nil {
		return nil, err
	}
	kind := engine.Text(entry.Data, "networkEndpointType")
	endpoints := engine.List(entry.Data, hiddenEndpoints)
	for _, endpoint := range engine.Objects(c.Body, "networkEndpoints") {
		address, fqdn := engine.Text(endpoint, "ipAddress"), engine.Text(endpoint, "fqdn")
		switch {
		case kind == "INTERNET_FQDN_PORT" && fqdn == "":
			return nil, invalidField("networkEndpoints[0].fqdn", fqdn, "An endpoint of type INTERNET_FQDN_PORT needs an FQDN.")
		case kind != "INTERNET_FQDN_PORT" && fqdn != "":
			return nil, invalidField("networkEndpoints[0].fqdn", fqdn, "Only endpoints of type INTERNET_FQDN_PORT have an FQDN.")
		case address != "":
			if _, err := netip.ParseAddr(address); err != nil {
				return nil, invalidField("networkEndpoints[0].ipAddress", address, "Must be an IP address.")
			}
		}
		if kind == "INTERNET_FQDN_PORT" && len(endpoints) > 0 {
			return nil, engine.Errorf(http.StatusBadRequest, "invalid", "An internet network endpoint group can have one endpoint of this type.")
		}
		if _, ok := endpoint["port"]; !ok {
			port, ok := entry.Data["defaultPort"]
			if !ok {
				return nil, invalidField("networkEndpoints[0].port", "", "The port is required, since the group has no default port.")
			}
			endpoint["port"] = port
		}
		if indexOf(endpoints, endpoint) >= 0 {
			continue
		}
		endpoints = append(endpoints, engine.Clone(endpoint))
	}
	return storeEndpoints(c, entry, endpoints)
}

func detachEndpoints(c *engine.Call) (any, error) {
	entry, err := c.Up(1).Target()
	if err != nil {
		return nil, err
	}
	endpoints := engine.List(entry.Data, hiddenEndpoints)
	for _, endpoint := range engine.Objects(c.Body, "networkEndpoints") {
		index := indexOf(endpoints, endpoint)
		if index < 0 {
			return nil, engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'networkEndpoints': the endpoint %s is not in the group.", endpointName(endpoint))
		}
		endpoints = append(append([]any{}, endpoints[:index]...), endpoints[index+1:]...)
	}
	return storeEndpoints(c, entry, endpoints)
}

func storeEndpoints(c *engine.Call, entry *engine.Entry, endpoints []any) (any, error) {
	return replace(c, entry, func(changed Object) { changed[hiddenEndpoints], changed["size"] = endpoints, len(endpoints) }), nil
}

func indexOf(endpoints []any, wanted Object) int {
	for i, endpoint := range endpoints {
		if object, ok := endpoint.(Object); ok && endpointName(object) == endpointName(wanted) {
			return i
		}
	}
	return -1
}

func endpointName(endpoint Object) string {
	port, _ := number(endpoint["port"])
	return strings.Join([]string{engine.Text(endpoint, "ipAddress"), engine.Text(endpoint, "fqdn"), engine.Text(endpoint, "instance"), itoa(port)}, "|")
}

package gcplab

import (
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

const (
	connections = "servicenetworking.services.connections"
	peeringName = "servicenetworking-googleapis-com"
)

// newServiceNetworking is private services access: https://cloud.google.com/service-infrastructure/docs/service-networking/reference/rest.
func newServiceNetworking(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.Stamp = func(*engine.Call, Object) {}
	service.Touch = nil
	service.Methods[connections+".create"] = func(c *engine.Call) (any, error) { return connect(c, false) }
	service.Methods[connections+".patch"] = func(c *engine.Call) (any, error) { return connect(c, true) }
	service.Methods[connections+".list"] = func(c *engine.Call) (any, error) {
		var found []any
		network, _ := c.Resolve(c.Query["network"])
		for _, entry := range c.Cloud.Entries(connections, "") {
			if other, _ := c.Resolve(engine.Text(entry.Data, "network")); network == "" || other == network {
				found = append(found, engine.Clone(entry.Data))
			}
		}
		return Object{"connections": found}, nil
	}
	service.Methods[connections+".deleteConnection"] = disconnect
	return service
}

// connectionName is the full name of the connection of a network with a full name.
func connectionName(network string) string {
	_, short, _ := strings.Cut(network, "/")
	return "servicenetworking.googleapis.com/services/servicenetworking.googleapis.com/connections/" + short
}

// connect gives ranges of a network to Google's services, which peers the network with theirs.
func connect(c *engine.Call, again bool) (any, error) {
	value := engine.Text(c.Body, "network")
	name, ok := c.Resolve(value)
	network := c.Cloud.Get(name)
	if !ok || network == nil {
		return nil, engine.Errorf(http.StatusBadRequest, "", "The network %s does not exist.", value)
	}
	ranges := engine.List(c.Body, "reservedPeeringRanges")
	if len(ranges) == 0 {
		return nil, engine.Errorf(http.StatusBadRequest, "", "reserved_peering_ranges must not be empty.")
	}
	for _, each := range ranges {
		text, _ := each.(string)
		address := c.Cloud.Get("compute.googleapis.com/projects/" + strings.Split(name, "/")[2] + "/global/addresses/" + text)
		if address == nil || address.Data["purpose"] != "VPC_PEERING" {
			return nil, engine.Errorf(http.StatusBadRequest, "", "The range %s is no allocated range with purpose VPC_PEERING.", text)
		}
		if other, _ := c.Resolve(engine.Text(address.Data, "network")); other != name {
			return nil, engine.Errorf(http.StatusBadRequest, "", "The range %s is of another network.", text)
		}
	}
	full := connectionName(name)
	if !again && c.Cloud.Get(full) != nil {
		return nil, &engine.Error{Code: http.StatusBadRequest, Status: "FAILED_PRECONDITION",
			Message: "Cannot modify allocated ranges in CreateConnection. Please use UpdateConnection."}
	}
	c.Cloud.Put(full, connections, Object{"network": value, "reservedPeeringRanges": ranges, "peering": peeringName, "service": "services/servicenetworking.googleapis.com"})
	if !peered(network.Data) {
		network.Data["peerings"] = append(engine.List(network.Data, "peerings"), Object{
			"name": peeringName, "state": "ACTIVE", "network": computeURL + "projects/servicenetworking/global/networks/servicenetworking",
			"exchangeSubnetRoutes": true, "importCustomRoutes": false, "exportCustomRoutes": false, "autoCreateRoutes": true, "stackType": "IPV4_ONLY",
		})
	}
	return c.Service.Operation(c.Begin(full, nil, nil)), nil
}

// disconnect is refused while something uses the connection: https://cloud.google.com/vpc/docs/configure-private-services-access#removing-connection.
func disconnect(c *engine.Call) (any, error) {
	value := engine.Text(c.Body, "consumerNetwork")
	name, _ := c.Resolve(value)
	network := c.Cloud.Get(name)
	if network == nil {
		return nil, engine.Errorf(http.StatusBadRequest, "", "The network %s does not exist.", value)
	}
	for _, entry := range c.Cloud.Entries(sqlInstances, "") {
		if used, _ := c.Resolve(engine.Text(engine.Sub(entry.Data, "settings", "ipConfiguration"), "privateNetwork")); used == name {
			return nil, engine.Preconditionf("Failed to delete connection; Producer services (e.g. CloudSQL, Cloud Memstore, etc.) are still using this connection.")
		}
	}
	full := connectionName(name)
	return c.Service.Operation(c.Begin(full, func() {
		c.Cloud.Remove(full)
		network.Data["peerings"] = filter(network.Data, "peerings", func(peering Object) bool { return peering["name"] != peeringName })
	}, nil)), nil
}

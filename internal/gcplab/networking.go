package gcplab

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// addNetworking is VPC networks, subnets, routers with NAT, and firewall rules.
func addNetworking(service *engine.Service) {
	service.Kinds["compute.networks"] = &engine.Kind{
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{
				"autoCreateSubnetworks": true, "mtu": 1460, "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
				"routingConfig": Object{"routingMode": "REGIONAL", "bgpBestPathSelectionMode": "LEGACY"},
			})
			engine.Default(o, Object{"routingConfig": Object{"routingMode": "REGIONAL", "bgpBestPathSelectionMode": "LEGACY"}})
		},
		Immutable: []string{"name", "autoCreateSubnetworks"},
		Check: func(_ *engine.Call, _, o Object) error {
			if mtu, ok := number(o["mtu"]); ok && (mtu < 1300 || mtu > 8896) {
				return invalidField("mtu", mtu, "The value must be between 1300 and 8896.")
			}
			return nil
		},
		Read: func(c *engine.Call, o Object) {
			var links []any
			for _, subnet := range c.Cloud.Entries("compute.subnetworks", "") {
				if subnet.Data["network"] == o["selfLink"] {
					links = append(links, subnet.Data["selfLink"])
				}
			}
			if len(links) > 0 {
				o["subnetworks"] = links
			}
		},
		Delete: func(c *engine.Call, entry *engine.Entry) error {
			if peerings := engine.Objects(entry.Data, "peerings"); len(peerings) > 0 {
				return engine.Errorf(http.StatusBadRequest, "resourceInUseByAnotherResource",
					"The network resource '%s' is already being used by 'projects/%s/global/networkPeerings/%s'", c.Name(), c.Project().ID, engine.Text(peerings[0], "name"))
			}
			return nil
		},
	}
	service.Methods["compute.networks.removePeering"] = func(c *engine.Call) (any, error) {
		entry, err := c.Up(1).Target()
		if err != nil {
			return nil, err
		}
		peerings := filter(entry.Data, "peerings", func(o Object) bool { return o["name"] != c.Body["name"] })
		if len(peerings) == len(engine.List(entry.Data, "peerings")) {
			return nil, engine.Errorf(http.StatusBadRequest, "invalid", "There is no peering '%s' in network.", c.Body["name"])
		}
		if c.Body["name"] == peeringName {
			c.Cloud.Remove(connectionName(entry.Name))
		}
		return replace(c, entry, func(changed Object) { changed["peerings"] = peerings }), nil
	}
	service.Methods["compute.networks.updatePeering"] = func(c *engine.Call) (any, error) {
		entry, err := c.Up(1).Target()
		if err != nil {
			return nil, err
		}
		wanted := engine.Sub(c.Body, "networkPeering")
		at := slices.IndexFunc(engine.Objects(entry.Data, "peerings"), func(o Object) bool { return o["name"] == wanted["name"] })
		if at < 0 {
			return nil, engine.Errorf(http.StatusBadRequest, "invalid", "There is no peering '%s' in network.", wanted["name"])
		}
		return replace(c, entry, func(changed Object) { engine.Merge(engine.Objects(changed, "peerings")[at], wanted) }), nil
	}
	service.Kinds["compute.subnetworks"] = &engine.Kind{
		Default: defaultSubnet, Check: checkSubnet,
		Immutable: []string{"name", "network", "region"},
		State:     "state", Ready: "READY",
		Delete: func(c *engine.Call, _ *engine.Entry) error { return checkLocation(c) },
	}
	service.Kinds["compute.routers"] = &engine.Kind{
		Immutable: []string{"name", "network"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"encryptedInterconnectRouter": false})
			if bgp, ok := o["bgp"].(Object); ok {
				engine.Default(bgp, Object{"advertiseMode": "DEFAULT", "keepaliveInterval": 20})
			}
			for _, nat := range engine.Objects(o, "nats") {
				engine.Default(nat, Object{
					"type": "PUBLIC", "autoNetworkTier": "PREMIUM", "endpointTypes": []any{"ENDPOINT_TYPE_VM"}, "enableEndpointIndependentMapping": false,
					"enableDynamicPortAllocation": false, "icmpIdleTimeoutSec": 30, "udpIdleTimeoutSec": 30,
					"tcpEstablishedIdleTimeoutSec": 1200, "tcpTransitoryIdleTimeoutSec": 30, "tcpTimeWaitTimeoutSec": 120,
				})
			}
		},
		Check: checkRouter,
	}
	service.Kinds["compute.firewalls"] = &engine.Kind{
		Immutable: []string{"name", "network", "direction"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"priority": 1000, "direction": "INGRESS", "disabled": false, "logConfig": Object{"enable": false}})
			if log := engine.Sub(o, "logConfig"); log["enable"] == true {
				engine.Default(log, Object{"metadata": "INCLUDE_ALL_METADATA"})
			}
			sources := len(engine.List(o, "sourceRanges")) + len(engine.List(o, "sourceTags")) + len(engine.List(o, "sourceServiceAccounts"))
			if o["direction"] == "INGRESS" && sources == 0 {
				o["sourceRanges"] = []any{"0.0.0.0/0"}
			}
			if o["direction"] == "EGRESS" && len(engine.List(o, "destinationRanges")) == 0 {
				o["destinationRanges"] = []any{"0.0.0.0/0"}
			}
		},
		Check: checkFirewall,
	}
}

// filter returns the objects in a list that keep wants.
func filter(o Object, name string, keep func(Object) bool) []any {
	var kept []any
	for _, each := range engine.Objects(o, name) {
		if keep(each) {
			kept = append(kept, each)
		}
	}
	return kept
}

func number(value any) (float64, bool) {
	switch value := value.(type) {
	case float64:
		return value, true
	case int:
		return float64(value), true
	}
	return 0, false
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// checkRouter has the rules of https://cloud.google.com/nat/docs/nat-rules-overview and of the reference of routers.
func checkRouter(c *engine.Call, _, o Object) error {
	if err := checkLocation(c); err != nil {
		return err
	}
	names := map[string]bool{}
	for i, nat := range engine.Objects(o, "nats") {
		name := engine.Text(nat, "name")
		if names[name] {
			return invalidField(fmt.Sprintf("nats[%d].name", i), name, "Duplicate NAT name.")
		}
		names[name] = true
		if nat["enableDynamicPortAllocation"] == true && nat["enableEndpointIndependentMapping"] == true {
			return invalidField(fmt.Sprintf("nats[%d].enableEndpointIndependentMapping", i), true, "Dynamic port allocation cannot be enabled with endpoint-independent mapping.")
		}
		if ports, ok := number(nat["minPortsPerVm"]); ok && nat["enableDynamicPortAllocation"] == true && (ports < 32 || int(ports)&(int(ports)-1) != 0) {
			return invalidField(fmt.Sprintf("nats[%d].minPortsPerVm", i), ports, "With dynamic port allocation it must be a power of two, and at least 32.")
		}
		if addresses := engine.List(nat, "natIps"); (nat["natIpAllocateOption"] == "MANUAL_ONLY") != (len(addresses) > 0) {
			return invalidField(fmt.Sprintf("nats[%d].natIps", i), len(addresses), "MANUAL_ONLY needs addresses, and AUTO_ONLY must have none.")
		}
		rules := map[float64]bool{}
		for j, rule := range engine.Objects(nat, "rules") {
			number, _ := number(rule["ruleNumber"])
			if rules[number] || number > 65000 {
				return invalidField(fmt.Sprintf("nats[%d].rules[%d].ruleNumber", i, j), itoa(number), "Rule numbers must be from 0 to 65000 and unique within a NAT.")
			}
			rules[number] = true
		}
	}
	return checkOnlyNAT(c, o)
}

// checkOnlyNAT refuses a second NAT beside one that is for all ranges of all subnets of a network in a region.
func checkOnlyNAT(c *engine.Call, o Object) error {
	const all = "ALL_SUBNETWORKS_ALL_IP_RANGES"
	nats := engine.Objects(o, "nats")
	network, _ := c.Resolve(engine.Text(o, "network"))
	for _, entry := range c.Cloud.Entries("compute.routers", "") {
		other, _ := c.Resolve(engine.Text(entry.Data, "network"))
		if entry.Name != c.FullName() && other == network && last(engine.Text(entry.Data, "region")) == c.After("regions") {
			nats = append(nats, engine.Objects(entry.Data, "nats")...)
		}
	}
	if len(nats) < 2 {
		return nil
	}
	for _, nat := range nats {
		if nat["sourceSubnetworkIpRangesToNat"] == all {
			return invalidField("nats[0].sourceSubnetworkIpRangesToNat", all, "There is another NAT of this network in the region.")
		}
	}
	return nil
}

func checkFirewall(_ *engine.Call, _, o Object) error {
	allowed, denied := engine.Objects(o, "allowed"), engine.Objects(o, "denied")
	if len(allowed) > 0 && len(denied) > 0 {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource': ''. Only one of allowed and denied may be specified.")
	}
	if len(allowed)+len(denied) == 0 {
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.allowed' not specified")
	}
	if priority, ok := number(o["priority"]); ok && (priority < 0 || priority > 65535) {
		return invalidField("priority", priority, "Must be between 0 and 65535.")
	}
	if o["direction"] == "EGRESS" && len(engine.List(o, "sourceTags")) > 0 {
		return invalidField("sourceTags", o["sourceTags"], "Source tags cannot be specified for EGRESS.")
	}
	for _, field := range []string{"sourceRanges", "destinationRanges"} {
		for i, value := range engine.List(o, field) {
			text, _ := value.(string)
			if _, err := netip.ParsePrefix(text); err != nil {
				if _, err := netip.ParseAddr(text); err != nil {
					return invalidField(fmt.Sprintf("%s[%d]", field, i), text, "Must be a CIDR address range.")
				}
			}
		}
	}
	return nil
}

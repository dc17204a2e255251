package gcplab

import (
	"encoding/binary"
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
		entry.Data["peerings"] = peerings
		if c.Body["name"] == peeringName {
			c.Cloud.Remove(connectionName(entry.Name))
		}
		return c.Service.Operation(c.Begin(entry.Name, nil, nil)), nil
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

func defaultSubnet(_ *engine.Call, o Object) {
	engine.Default(o, Object{"purpose": "PRIVATE", "privateIpGoogleAccess": false, "stackType": "IPV4_ONLY", "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS", "allowSubnetCidrRoutesOverlap": false})
	if prefix, err := netip.ParsePrefix(engine.Text(o, "ipCidrRange")); err == nil {
		o["gatewayAddress"] = prefix.Masked().Addr().Next().String()
	}
	if o["purpose"] != "PRIVATE" {
		return
	}
	log := engine.Ensure(o, "logConfig")
	engine.Default(log, Object{"enable": false})
	if log["enable"] == true {
		engine.Default(log, Object{"aggregationInterval": "INTERVAL_5_SEC", "flowSampling": 0.5, "metadata": "INCLUDE_ALL_METADATA", "filterExpr": "true"})
	}
	o["enableFlowLogs"] = log["enable"]
}

// checkSubnet has the rules of https://cloud.google.com/vpc/docs/subnets#ipv4-ranges.
func checkSubnet(c *engine.Call, old, o Object) error {
	if err := checkLocation(c); err != nil {
		return err
	}
	if engine.Text(o, "network") == "" {
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.network' not specified")
	}
	if old != nil && old["ipCidrRange"] != o["ipCidrRange"] {
		return invalidField("ipCidrRange", o["ipCidrRange"], "The range can only be expanded, by expandIpCidrRange.")
	}
	ranges, err := rangesOf(o)
	if err != nil {
		return err
	}
	for i, one := range ranges {
		for _, other := range ranges[:i] {
			if one.Overlaps(other) {
				return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid IPCidrRange: %s conflicts with another range %s of the same subnetwork.", one, other)
			}
		}
	}
	network, _ := c.Resolve(engine.Text(o, "network"))
	for _, entry := range c.Cloud.Entries("compute.subnetworks", "") {
		other, _ := c.Resolve(engine.Text(entry.Data, "network"))
		if other != network || entry.Name == c.FullName() {
			continue
		}
		taken, err := rangesOf(entry.Data)
		if err != nil {
			return err
		}
		for _, one := range ranges {
			if slices.ContainsFunc(taken, one.Overlaps) {
				return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid IPCidrRange: %s conflicts with existing subnetwork '%s' in region '%s'.",
					one, engine.Text(entry.Data, "name"), last(engine.Text(entry.Data, "region")))
			}
		}
	}
	for _, entry := range c.Cloud.Entries("compute.globalAddresses", "") {
		reserved, ok := reservedRange(entry.Data)
		other, _ := c.Resolve(engine.Text(entry.Data, "network"))
		if ok && other == network && slices.ContainsFunc(ranges, reserved.Overlaps) {
			return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid IPCidrRange: %s conflicts with reserved IP range '%s'.", ranges[0], engine.Text(entry.Data, "name"))
		}
	}
	return nil
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func rangesOf(subnet Object) ([]netip.Prefix, error) {
	primary, err := cidr("ipCidrRange", engine.Text(subnet, "ipCidrRange"))
	if err != nil {
		return nil, err
	}
	ranges := []netip.Prefix{primary}
	for i, secondary := range engine.Objects(subnet, "secondaryIpRanges") {
		parsed, err := cidr(fmt.Sprintf("secondaryIpRanges[%d].ipCidrRange", i), engine.Text(secondary, "ipCidrRange"))
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, parsed)
	}
	return ranges, nil
}

func cidr(field, text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Masked() != prefix {
		return prefix, invalidField(field, text, "Must be a CIDR address range, with no bits set behind its prefix.")
	}
	if prefix.Addr().Is4() && (prefix.Bits() < 4 || prefix.Bits() > 29) {
		return prefix, invalidField(field, text, "The prefix must be from /4 to /29.")
	}
	return prefix, nil
}

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
		if ports, ok := number(nat["minPortsPerVm"]); ok && nat["enableDynamicPortAllocation"] == true && int(ports)&(int(ports)-1) != 0 {
			return invalidField(fmt.Sprintf("nats[%d].minPortsPerVm", i), ports, "With dynamic port allocation it must be a power of two.")
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

// addAddresses is external and internal addresses.
func addAddresses(service *engine.Service) {
	kind := &engine.Kind{
		Immutable: []string{"name", "address", "network", "prefixLength", "purpose", "ipVersion"},
		Default: func(c *engine.Call, o Object) {
			engine.Default(o, Object{"addressType": "EXTERNAL", "status": "RESERVED", "networkTier": "PREMIUM"})
			if o["addressType"] == "INTERNAL" {
				delete(o, "networkTier")
			} else if c.After("regions") == "" {
				engine.Default(o, Object{"ipVersion": "IPV4"})
			}
			if engine.Text(o, "address") != "" {
				return
			}
			switch {
			case o["purpose"] == "VPC_PEERING":
				o["address"] = freeRange(c, o)
			case o["ipVersion"] == "IPV6":
				o["address"] = fmt.Sprintf("2600:1901:0:%s::", c.Serial()[15:19])
			default:
				o["address"] = freeAddress(c)
			}
		},
		Check: func(c *engine.Call, old, o Object) error {
			if err := checkLocation(c); err != nil || o["purpose"] != "VPC_PEERING" || old != nil {
				return err
			}
			return checkReservedRange(c, o)
		},
		Read: func(c *engine.Call, o Object) {
			var users []any
			for _, rule := range c.Cloud.Entries("compute.globalForwardingRules", "") {
				if rule.Data["IPAddress"] == o["address"] {
					users = append(users, rule.Data["selfLink"])
				}
			}
			if len(users) > 0 {
				o["users"], o["status"] = users, "IN_USE"
			}
		},
		Delete: func(c *engine.Call, entry *engine.Entry) error {
			for _, rule := range c.Cloud.Entries("compute.globalForwardingRules", "") {
				if rule.Data["IPAddress"] == entry.Data["address"] {
					return engine.Errorf(http.StatusBadRequest, "resourceInUseByAnotherResource", "The address resource '%s' is already being used by '%s'",
						c.Name(), strings.TrimPrefix(rule.Name, "compute.googleapis.com/"))
				}
			}
			return nil
		},
	}
	service.Kinds["compute.globalAddresses"] = kind
	service.Kinds["compute.addresses"] = kind
}

// freeAddress gives an address of 203.0.113.0/24 or its neighbours, which RFC 5737 keeps for documentation.
func freeAddress(c *engine.Call) string {
	taken := map[string]bool{}
	for _, collection := range []string{"compute.globalAddresses", "compute.addresses", "compute.globalForwardingRules"} {
		for _, entry := range c.Cloud.Entries(collection, "") {
			taken[engine.Text(entry.Data, "address")+engine.Text(entry.Data, "IPAddress")] = true
		}
	}
	for address := netip.MustParseAddr("203.0.113.2"); ; address = address.Next() {
		if !taken[address.String()] {
			return address.String()
		}
	}
}

func reservedRange(address Object) (netip.Prefix, bool) {
	bits, ok := number(address["prefixLength"])
	start, err := netip.ParseAddr(engine.Text(address, "address"))
	if address["purpose"] != "VPC_PEERING" || !ok || err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(start, int(bits)), true
}

func freeRange(c *engine.Call, o Object) string {
	bits, _ := number(o["prefixLength"])
	start := netip.MustParseAddr("10.255.0.0")
	for range 200 {
		candidate := engine.Clone(o)
		candidate["address"] = start.String()
		if checkReservedRange(c, candidate) == nil {
			return start.String()
		}
		raw := start.As4()
		binary.BigEndian.PutUint32(raw[:], binary.BigEndian.Uint32(raw[:])-1<<(32-max(int(bits), 8)))
		start = netip.AddrFrom4(raw)
	}
	return ""
}

// checkReservedRange has the rules of https://cloud.google.com/vpc/docs/configure-private-services-access.
func checkReservedRange(c *engine.Call, o Object) error {
	if _, ok := number(o["prefixLength"]); !ok {
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.prefixLength' not specified")
	}
	reserved, ok := reservedRange(o)
	if !ok || reserved.Masked() != reserved {
		return invalidField("address", o["address"], "The address and prefix length are no range.")
	}
	network, ok := c.Resolve(engine.Text(o, "network"))
	if !ok {
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.network' not specified")
	}
	for _, entry := range c.Cloud.Entries("compute.subnetworks", "") {
		if other, _ := c.Resolve(engine.Text(entry.Data, "network")); other != network {
			continue
		}
		ranges, err := rangesOf(entry.Data)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(ranges, reserved.Overlaps) {
			return invalidField("address", o["address"], "The range conflicts with subnetwork '%s'.", engine.Text(entry.Data, "name"))
		}
	}
	for _, entry := range c.Cloud.Entries("compute.globalAddresses", "") {
		other, ok := reservedRange(entry.Data)
		if same, _ := c.Resolve(engine.Text(entry.Data, "network")); ok && same == network && entry.Name != c.FullName() && other.Overlaps(reserved) {
			return invalidField("address", o["address"], "The range conflicts with reserved range '%s'.", engine.Text(entry.Data, "name"))
		}
	}
	return nil
}

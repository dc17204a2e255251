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

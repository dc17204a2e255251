package gcplab

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

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
				return invalidRange(i, one, "another range of the same subnetwork, %s.", other)
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
		for i, one := range ranges {
			if slices.ContainsFunc(taken, one.Overlaps) {
				return invalidRange(i, one, "existing subnetwork '%s' in region '%s'.", engine.Text(entry.Data, "name"), last(engine.Text(entry.Data, "region")))
			}
		}
	}
	for _, entry := range c.Cloud.Entries("compute.globalAddresses", "") {
		reserved, ok := reservedRange(entry.Data)
		other, _ := c.Resolve(engine.Text(entry.Data, "network"))
		if i := slices.IndexFunc(ranges, reserved.Overlaps); ok && other == network && i >= 0 {
			return invalidRange(i, ranges[i], "reserved IP range '%s'.", engine.Text(entry.Data, "name"))
		}
	}
	return nil
}

// invalidRange refuses one of the ranges that rangesOf gives, in the words of Compute Engine.
func invalidRange(i int, given netip.Prefix, conflict string, args ...any) *engine.Error {
	field := "ipCidrRange"
	if i > 0 {
		field = fmt.Sprintf("secondaryIpRanges[%d].ipCidrRange", i-1)
	}
	return invalidField(field, given, "Invalid IPCidrRange: %s conflicts with %s", given, fmt.Sprintf(conflict, args...))
}

func rangesOf(subnet Object) ([]netip.Prefix, error) {
	primary, err := cidr("ipCidrRange", engine.Text(subnet, "ipCidrRange"))
	if err != nil {
		return nil, err
	}
	ranges, names := []netip.Prefix{primary}, map[string]bool{}
	for i, secondary := range engine.Objects(subnet, "secondaryIpRanges") {
		parsed, err := cidr(fmt.Sprintf("secondaryIpRanges[%d].ipCidrRange", i), engine.Text(secondary, "ipCidrRange"))
		if err != nil {
			return nil, err
		}
		name := engine.Text(secondary, "rangeName")
		if names[name] {
			return nil, invalidField(fmt.Sprintf("secondaryIpRanges[%d].rangeName", i), name, "The name must be unique within the subnetwork.")
		}
		names[name] = true
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

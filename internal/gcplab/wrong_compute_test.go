package gcplab

import "testing"

const (
	computeErrors  = "https://cloud.google.com/compute/docs/reference/rest/v1/errors"
	jsonMapping    = "https://protobuf.dev/programming-guides/json/"
	errorModel     = "https://google.aip.dev/193"
	subnetsRef     = "https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks"
	routersRef     = "https://cloud.google.com/compute/docs/reference/rest/v1/routers"
	firewallsRef   = "https://cloud.google.com/compute/docs/reference/rest/v1/firewalls"
	deleteNetworks = "https://cloud.google.com/vpc/docs/create-modify-vpc-networks"
)

func TestWhatNoServiceOfGoogleTakesIsRefused(t *testing.T) {
	refuse(t, []wrong{
		{
			name: "a field that does not exist", method: post, path: computeAPI + "global/networks", body: `{"name": "main", "colour": "red"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `Unknown name "colour": Cannot find field.`, source: jsonMapping,
		},
		{
			name: "a field that does not exist, deep within", given: subnet, method: post, path: containerAPI + "europe-west1/clusters",
			body: clusterBody(`, "nodePools": [{"name": "a", "config": {"colour": "red"}}]`),
			code: 400, reason: "INVALID_ARGUMENT", says: `Unknown name "colour" at 'cluster.node_pools[0].config': Cannot find field.`, source: jsonMapping,
		},
		{
			name: "text for a number", method: post, path: computeAPI + "global/networks", body: `{"name": "main", "mtu": "large"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `Invalid value at 'mtu' (TYPE_INT32), "large"`, source: jsonMapping,
		},
		{
			name: "text for a boolean", method: post, path: computeAPI + "global/networks", body: `{"name": "main", "autoCreateSubnetworks": "no"}`,
			code: 400, reason: "invalid", says: `(TYPE_BOOL), "no"`, source: jsonMapping,
		},
		{
			name: "one value for a list", given: network("main"), method: post, path: computeAPI + "global/firewalls",
			body: `{"name": "in", "network": "projects/test-project/global/networks/main", "sourceRanges": "10.0.0.0/8", "allowed": [{"IPProtocol": "tcp"}]}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `Invalid value at 'source_ranges'`, source: jsonMapping,
		},
		{
			name: "a value that an enum lacks", given: subnet, method: post, path: containerAPI + "europe-west1/clusters", body: clusterBody(`, "releaseChannel": {"channel": "FAST"}`),
			code: 400, reason: "INVALID_ARGUMENT", says: `Invalid value at 'cluster.release_channel.channel'`, source: jsonMapping,
		},
		{
			name: "a value that an enum lacks, in Compute Engine's words", method: post, path: computeAPI + "global/networks", body: `{"name": "main", "routingConfig": {"routingMode": "WORLD"}}`,
			code: 400, reason: "invalid", says: `Invalid value for field 'resource.routingConfig.routingMode': 'WORLD'.`, source: computeErrors,
		},
		{
			name: "JSON that ends too early", method: post, path: computeAPI + "global/networks", body: `{"name": "main"`,
			code: 400, reason: "INVALID_ARGUMENT", says: "Invalid JSON payload received.", source: jsonMapping,
		},
		{
			name: "JSON with something behind it", method: post, path: computeAPI + "global/networks", body: `{"name": "main"} {}`,
			code: 400, reason: "parseError", says: "Invalid JSON payload received.", source: jsonMapping,
		},
		{
			name: "a list for an object", method: post, path: computeAPI + "global/networks", body: `[{"name": "main"}]`,
			code: 400, reason: "parseError", says: "Invalid JSON payload received.", source: jsonMapping,
		},
		{
			name: "a project that does not exist, in Compute Engine", method: get, path: "compute.googleapis.com/compute/v1/projects/nobody/global/networks",
			code: 404, reason: "notFound", says: "The resource 'projects/nobody' was not found", source: computeErrors,
		},
		{
			name: "a project that does not exist, elsewhere", method: get, path: "cloudkms.googleapis.com/v1/projects/nobody/locations/global/keyRings",
			code: 403, reason: "PERMISSION_DENIED", says: "(or it may not exist)", source: "https://google.aip.dev/211",
		},
		{
			name: "a method that does not exist", method: post, path: computeAPI + "global/networks/main/paint",
			code: 404, reason: "NOT_FOUND", says: "was not found on this server", source: errorModel,
		},
		{
			name: "one more than a quota allows", given: all(network("main"), func(l *lab) { l.cloud.SetQuota("compute.networks", 1) }),
			method: post, path: computeAPI + "global/networks", body: `{"name": "more"}`,
			code: 403, reason: "quotaExceeded", says: "Quota 'NETWORKS' exceeded. Limit: 1.0", source: "https://github.com/cloudfoundry/bosh-google-cpi-release/issues/238",
		},
	})
}

func TestARequestWithoutTheRightTokenIsRefused(t *testing.T) {
	// https://google.aip.dev/211: who is not known is told so before anything else.
	for _, token := range []string{"", "another"} {
		result := newLab(t).send(token, post, computeAPI+"global/networks", `{"name": "main"}`)
		if result.code != 401 || result.error()["status"] != "UNAUTHENTICATED" || result.reason() != "authError" {
			t.Errorf("token %q: %v", token, result)
		}
	}
}

func TestWrongNetworksAreRefused(t *testing.T) {
	const (
		networks = computeAPI + "global/networks"
		subnets  = computeAPI + "regions/europe-west1/subnetworks"
		main     = `"network": "projects/test-project/global/networks/main"`
	)
	refuse(t, []wrong{
		{
			name: "capitals in a name", method: post, path: networks, body: `{"name": "Main"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.name': 'Main'. Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'", source: computeErrors,
		},
		{
			name: "no name", method: post, path: networks, body: `{"autoCreateSubnetworks": false}`,
			code: 400, reason: "required", says: "Required field 'resource.name' not specified", source: computeErrors,
		},
		{
			name: "a network twice", given: network("main"), method: post, path: networks, body: `{"name": "main"}`,
			code: 409, reason: "alreadyExists", says: "The resource 'projects/test-project/global/networks/main' already exists", source: "https://github.com/ContainerSolutions/terraform-mesos/issues/53",
		},
		{
			name: "an MTU of 100", method: post, path: networks, body: `{"name": "main", "mtu": 100}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.mtu': '100'.", source: "https://cloud.google.com/compute/docs/reference/rest/v1/networks",
		},
		{
			name: "a network that is not there", method: get, path: networks + "/main",
			code: 404, reason: "notFound", says: "The resource 'projects/test-project/global/networks/main' was not found", source: computeErrors,
		},
		{
			name: "a network with a subnet is deleted", given: subnet, method: remove, path: networks + "/main",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The network resource 'projects/test-project/global/networks/main' is already being used by 'projects/test-project/regions/europe-west1/subnetworks/europe'", source: deleteNetworks,
		},
		{
			name: "a network with a firewall rule is deleted", given: all(network("main"), sent(post, computeAPI+"global/firewalls", `{"name": "ssh", `+main+`, "allowed": [{"IPProtocol": "tcp"}]}`)), method: remove, path: networks + "/main",
			code: 400, reason: "resourceInUseByAnotherResource", says: "is already being used by 'projects/test-project/global/firewalls/ssh'", source: "https://github.com/hashicorp/terraform-provider-google/issues/5423",
		},
		{
			name: "a network with a peering is deleted", given: all(peering, sent(remove, computeAPI+"global/addresses/for-google", "")), method: remove, path: networks + "/main",
			code: 400, reason: "resourceInUseByAnotherResource", says: "networkPeerings/servicenetworking-googleapis-com", source: deleteNetworks,
		},
		{
			name: "a peering that is not there is updated", given: network("main"), method: patch, path: networks + "/main/updatePeering", body: `{"networkPeering": {"name": "gone"}}`,
			code: 400, reason: "invalid", says: "There is no peering 'gone'", source: "https://cloud.google.com/compute/docs/reference/rest/v1/networks/updatePeering",
		},
		{
			name: "a peering that is not there is removed", given: network("main"), method: post, path: networks + "/main/removePeering", body: `{"name": "gone"}`,
			code: 400, reason: "invalid", says: "There is no peering 'gone'", source: "https://cloud.google.com/compute/docs/reference/rest/v1/networks/removePeering",
		},
		{
			name: "a subnet of a network that is not there", method: post, path: subnets, body: `{"name": "europe", ` + main + `, "ipCidrRange": "10.0.0.0/20"}`,
			code: 404, reason: "notFound", says: "The resource 'projects/test-project/global/networks/main' was not found", source: computeErrors,
		},
		{
			name: "a subnet in a region that does not exist", given: network("main"), method: post, path: computeAPI + "regions/mars-north1/subnetworks", body: `{"name": "mars", ` + main + `, "ipCidrRange": "10.0.0.0/20"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'region': 'mars-north1'. Unknown region.", source: computeErrors,
		},
		{
			name: "subnets that overlap", given: subnet, method: post, path: computeAPI + "regions/us-central1/subnetworks", body: `{"name": "us", ` + main + `, "ipCidrRange": "10.0.8.0/24"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.ipCidrRange': '10.0.8.0/24'. Invalid IPCidrRange: 10.0.8.0/24 conflicts with existing subnetwork 'europe' in region 'europe-west1'.",
			source: "https://github.com/terraform-google-modules/terraform-google-network/issues/20",
		},
		{
			name: "a secondary range that overlaps another subnet's", given: subnet, method: post, path: computeAPI + "regions/us-central1/subnetworks",
			body: `{"name": "us", ` + main + `, "ipCidrRange": "10.20.0.0/20", "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.6.0.0/16"}]}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.secondaryIpRanges[0].ipCidrRange': '10.6.0.0/16'. Invalid IPCidrRange: 10.6.0.0/16 conflicts with existing subnetwork 'europe'",
			source: "https://github.com/terraform-google-modules/terraform-google-network/issues/20",
		},
		{
			name: "a secondary range that overlaps its own subnet", given: network("main"), method: post, path: subnets,
			body: `{"name": "europe", ` + main + `, "ipCidrRange": "10.0.0.0/20", "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.0.0.0/16"}]}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.secondaryIpRanges[0].ipCidrRange'", source: subnetsRef,
		},
		{
			name: "two secondary ranges of one name", given: network("main"), method: post, path: subnets,
			body: `{"name": "europe", ` + main + `, "ipCidrRange": "10.0.0.0/20", "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.1.0.0/16"}, {"rangeName": "pods", "ipCidrRange": "10.2.0.0/16"}]}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.secondaryIpRanges[1].rangeName': 'pods'.", source: subnetsRef,
		},
		{
			name: "a subnet within a range that is reserved for Google's services", given: peering, method: post, path: subnets, body: `{"name": "europe", ` + main + `, "ipCidrRange": "10.100.4.0/24"}`,
			code: 400, reason: "invalid", says: "conflicts with reserved IP range 'for-google'", source: "https://cloud.google.com/vpc/docs/configure-private-services-access",
		},
		{
			name: "a range for Google's services within a subnet", given: subnet, method: post, path: computeAPI + "global/addresses",
			body: `{"name": "for-google", "addressType": "INTERNAL", "purpose": "VPC_PEERING", "address": "10.0.0.0", "prefixLength": 24, ` + main + `}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.address': '10.0.0.0'. The range conflicts with subnetwork 'europe'.", source: "https://cloud.google.com/vpc/docs/configure-private-services-access",
		},
		{
			name: "a subnet that is too small", given: network("main"), method: post, path: subnets, body: `{"name": "europe", ` + main + `, "ipCidrRange": "10.0.0.0/30"}`,
			code: 400, reason: "invalid", says: "'10.0.0.0/30'. The prefix must be from /4 to /29.", source: "https://cloud.google.com/vpc/docs/subnets",
		},
		{
			name: "a range with bits behind its prefix", given: network("main"), method: post, path: subnets, body: `{"name": "europe", ` + main + `, "ipCidrRange": "10.0.0.1/24"}`,
			code: 400, reason: "invalid", says: "Must be a CIDR address range", source: "https://cloud.google.com/vpc/docs/subnets",
		},
		{
			name: "a subnet is patched with a fingerprint of before", given: subnet, method: patch, path: subnets + "/europe", body: `{"description": "x", "fingerprint": "AAAAAAAAAAA="}`,
			code: 412, reason: "conditionNotMet", says: "Invalid fingerprint.", source: subnetsRef,
		},
		{
			name: "a subnet is patched without a fingerprint", given: subnet, method: patch, path: subnets + "/europe", body: `{"description": "x"}`,
			code: 412, reason: "conditionNotMet", says: "Invalid fingerprint.", source: "https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks/patch",
		},
		{
			name: "a firewall rule gets another network", given: all(network("main"), network("other"), sent(post, computeAPI+"global/firewalls", `{"name": "ssh", `+main+`, "allowed": [{"IPProtocol": "tcp"}]}`)),
			method: patch, path: computeAPI + "global/firewalls/ssh", body: `{"name": "ssh", "network": "projects/test-project/global/networks/other"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.network'", source: "https://cloud.google.com/firewall/docs/using-firewalls",
		},
		{
			name: "a firewall rule that allows and denies", given: network("main"), method: post, path: computeAPI + "global/firewalls",
			body: `{"name": "both", ` + main + `, "allowed": [{"IPProtocol": "tcp"}], "denied": [{"IPProtocol": "udp"}]}`,
			code: 400, reason: "invalid", says: "Only one of allowed and denied may be specified.", source: "https://cloud.google.com/firewall/docs/firewalls",
		},
		{
			name: "a firewall rule that does neither", given: network("main"), method: post, path: computeAPI + "global/firewalls", body: `{"name": "none", ` + main + `}`,
			code: 400, reason: "required", says: "Required field 'resource.allowed' not specified", source: "https://cloud.google.com/firewall/docs/firewalls",
		},
		{
			name: "a firewall rule of priority 70000", given: network("main"), method: post, path: computeAPI + "global/firewalls", body: `{"name": "low", ` + main + `, "priority": 70000, "allowed": [{"IPProtocol": "tcp"}]}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.priority': '70000'.", source: firewallsRef,
		},
		{
			name: "a firewall rule whose source is no range", given: network("main"), method: post, path: computeAPI + "global/firewalls", body: `{"name": "in", ` + main + `, "sourceRanges": ["10.0.0.0/40"], "allowed": [{"IPProtocol": "tcp"}]}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.sourceRanges[0]': '10.0.0.0/40'.", source: firewallsRef,
		},
		{
			name: "source tags on the way out", given: network("main"), method: post, path: computeAPI + "global/firewalls", body: `{"name": "out", ` + main + `, "direction": "EGRESS", "sourceTags": ["web"], "allowed": [{"IPProtocol": "tcp"}]}`,
			code: 400, reason: "invalid", says: "Source tags cannot be specified for EGRESS", source: firewallsRef,
		},
	})
}

func TestWrongNATIsRefused(t *testing.T) {
	const routers = computeAPI + "regions/europe-west1/routers"
	router := func(name, nats string) string {
		return `{"name": "` + name + `", "network": "projects/test-project/global/networks/main", "nats": [` + nats + `]}`
	}
	const everything = `"natIpAllocateOption": "AUTO_ONLY", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES"`
	refuse(t, []wrong{
		{
			name: "a router without a network", method: post, path: routers, body: `{"name": "out"}`,
			code: 400, reason: "required", says: "Required field 'resource.network' not specified", source: routersRef,
		},
		{
			name: "dynamic ports with endpoint-independent mapping", given: network("main"), method: post, path: routers,
			body: router("out", `{"name": "nat", `+everything+`, "enableDynamicPortAllocation": true, "enableEndpointIndependentMapping": true}`),
			code: 400, reason: "invalid", says: "nats[0].enableEndpointIndependentMapping", source: routersRef,
		},
		{
			name: "dynamic ports with a least number that is no power of two", given: network("main"), method: post, path: routers,
			body: router("out", `{"name": "nat", `+everything+`, "enableDynamicPortAllocation": true, "minPortsPerVm": 100}`),
			code: 400, reason: "invalid", says: "power of two", source: routersRef,
		},
		{
			name: "dynamic ports with a least number below 32", given: network("main"), method: post, path: routers,
			body: router("out", `{"name": "nat", `+everything+`, "enableDynamicPortAllocation": true, "minPortsPerVm": 16}`),
			code: 400, reason: "invalid", says: "nats[0].minPortsPerVm", source: routersRef,
		},
		{
			name: "addresses of one's own with automatic ones", given: all(network("main"), sent(post, computeAPI+"regions/europe-west1/addresses", `{"name": "out"}`)), method: post, path: routers,
			body: router("out", `{"name": "nat", `+everything+`, "natIps": ["projects/test-project/regions/europe-west1/addresses/out"]}`),
			code: 400, reason: "invalid", says: "AUTO_ONLY must have none", source: routersRef,
		},
		{
			name: "manual addresses without any", given: network("main"), method: post, path: routers,
			body: router("out", `{"name": "nat", "natIpAllocateOption": "MANUAL_ONLY", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES"}`),
			code: 400, reason: "invalid", says: "MANUAL_ONLY needs addresses", source: routersRef,
		},
		{
			name: "two rules of one number", given: network("main"), method: post, path: routers,
			body: router("out", `{"name": "nat", `+everything+`, "rules": [{"ruleNumber": 1, "match": "destination.ip == '192.0.2.1'"}, {"ruleNumber": 1, "match": "destination.ip == '192.0.2.2'"}]}`),
			code: 400, reason: "invalid", says: "nats[0].rules[1].ruleNumber", source: routersRef,
		},
		{
			name: "a second NAT beside one for everything", given: all(network("main"), sent(post, routers, router("out", `{"name": "nat", `+everything+`}`))), method: post, path: routers,
			body: router("more", `{"name": "nat", `+everything+`}`),
			code: 400, reason: "invalid", says: "There is another NAT of this network in the region.", source: routersRef,
		},
	})
}

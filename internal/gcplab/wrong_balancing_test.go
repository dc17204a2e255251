package gcplab

import "testing"

const (
	healthRef    = "https://cloud.google.com/compute/docs/reference/rest/v1/healthChecks"
	groupsRef    = "https://cloud.google.com/compute/docs/reference/rest/v1/networkEndpointGroups"
	internetNEGs = "https://cloud.google.com/load-balancing/docs/negs/internet-neg-concepts"
	backendsRef  = "https://cloud.google.com/compute/docs/reference/rest/v1/backendServices"
	urlMapsRef   = "https://cloud.google.com/compute/docs/reference/rest/v1/urlMaps"
	proxiesRef   = "https://cloud.google.com/compute/docs/reference/rest/v1/targetHttpsProxies"
	rulesRef     = "https://cloud.google.com/load-balancing/docs/forwarding-rule-concepts"
	armorRef     = "https://cloud.google.com/compute/docs/reference/rest/v1/securityPolicies"
	tlsRef       = "https://cloud.google.com/compute/docs/reference/rest/v1/sslPolicies"
)

func TestWrongHealthChecksAreRefused(t *testing.T) {
	const checks = computeAPI + "global/healthChecks"
	refuse(t, []wrong{
		{
			name: "a timeout longer than the interval", method: post, path: checks, body: `{"name": "live", "checkIntervalSec": 5, "timeoutSec": 10, "tcpHealthCheck": {"port": 80}}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.timeoutSec': '10'.", source: healthRef,
		},
		{
			name: "two protocols", method: post, path: checks, body: `{"name": "live", "tcpHealthCheck": {"port": 80}, "httpHealthCheck": {}}`,
			code: 400, reason: "invalid", says: "Exactly one protocol-specific field must be specified", source: healthRef,
		},
		{
			name: "no protocol", method: post, path: checks, body: `{"name": "live"}`,
			code: 400, reason: "invalid", says: "Exactly one protocol-specific field must be specified", source: healthRef,
		},
		{
			name: "two source regions", method: post, path: checks, body: `{"name": "live", "checkIntervalSec": 30, "sourceRegions": ["us-central1", "us-east1"], "httpHealthCheck": {}}`,
			code: 400, reason: "invalid", says: "Exactly 3 regions must be specified.", source: healthRef,
		},
		{
			name: "source regions every five seconds", method: post, path: checks, body: `{"name": "live", "sourceRegions": ["us-central1", "us-east1", "europe-west1"], "httpHealthCheck": {}}`,
			code: 400, reason: "invalid", says: "at least 30 seconds", source: healthRef,
		},
		{
			name: "source regions with gRPC", method: post, path: checks, body: `{"name": "live", "checkIntervalSec": 30, "sourceRegions": ["us-central1", "us-east1", "europe-west1"], "grpcHealthCheck": {"port": 80}}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.type': 'GRPC'.", source: healthRef,
		},
		{
			name: "a health check of a backend service is deleted", given: backend, method: remove, path: checks + "/live",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The health_check resource 'projects/test-project/global/healthChecks/live' is already being used by 'projects/test-project/global/backendServices/web'",
			source: "https://github.com/terraform-google-modules/terraform-google-vm/issues/45",
		},
	})
}

func TestWrongEndpointGroupsAreRefused(t *testing.T) {
	const (
		global = computeAPI + "global/networkEndpointGroups"
		zonal  = computeAPI + "zones/europe-west1-b/networkEndpointGroups"
		main   = `"network": "projects/test-project/global/networks/main"`
	)
	refuse(t, []wrong{
		{
			name: "pods in a global group", method: post, path: global, body: `{"name": "pods", "networkEndpointType": "GCE_VM_IP_PORT"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.networkEndpointType': 'GCE_VM_IP_PORT'.", source: "https://cloud.google.com/load-balancing/docs/negs",
		},
		{
			name: "the internet in a zonal group", method: post, path: zonal, body: `{"name": "monolith", "networkEndpointType": "INTERNET_FQDN_PORT"}`,
			code: 400, reason: "invalid", says: "A zonal network endpoint group cannot have internet endpoints.", source: internetNEGs,
		},
		{
			name: "a network for a global group", given: network("main"), method: post, path: global, body: `{"name": "monolith", "networkEndpointType": "INTERNET_FQDN_PORT", ` + main + `}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.network'", source: groupsRef,
		},
		{
			name: "no network where there is no default one", method: post, path: zonal, body: `{"name": "pods"}`,
			code: 404, reason: "notFound", says: "The resource 'projects/test-project/global/networks/default' was not found", source: groupsRef,
		},
		{
			name: "a type of endpoints that does not exist", method: post, path: zonal, body: `{"name": "pods", "networkEndpointType": "PIGEON"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.networkEndpointType': 'PIGEON'.", source: groupsRef,
		},
		{
			name: "a zone that does not exist", given: network("main"), method: post, path: computeAPI + "zones/europe-west1-a/networkEndpointGroups", body: `{"name": "pods", ` + main + `}`,
			code: 400, reason: "invalid", says: "'europe-west1-a'. Unknown zone.", source: "https://cloud.google.com/compute/docs/regions-zones",
		},
		{
			name: "an address where a name must be", given: internet, method: post, path: global + "/monolith/attachNetworkEndpoints", body: `{"networkEndpoints": [{"ipAddress": "192.0.2.1", "port": 443}]}`,
			code: 400, reason: "invalid", says: "needs an FQDN", source: internetNEGs,
		},
		{
			name: "a second endpoint", given: all(internet, sent(post, global+"/monolith/attachNetworkEndpoints", `{"networkEndpoints": [{"fqdn": "a.example.com", "port": 443}]}`)),
			method: post, path: global + "/monolith/attachNetworkEndpoints", body: `{"networkEndpoints": [{"fqdn": "b.example.com", "port": 443}]}`,
			code: 400, reason: "invalid", says: "can have one endpoint", source: internetNEGs,
		},
		{
			name: "an endpoint is detached that is not there", given: internet, method: post, path: global + "/monolith/detachNetworkEndpoints", body: `{"networkEndpoints": [{"fqdn": "a.example.com", "port": 443}]}`,
			code: 400, reason: "invalid", says: "is not in the group", source: "https://cloud.google.com/compute/docs/reference/rest/v1/globalNetworkEndpointGroups/detachNetworkEndpoints",
		},
		{
			name: "a group of a backend service is deleted", given: backend, method: remove, path: zonal + "/pods",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The network_endpoint_group resource", source: "https://github.com/hashicorp/terraform-provider-google/issues/7311",
		},
	})
}

func TestWrongBackendServicesAreRefused(t *testing.T) {
	const (
		services = computeAPI + "global/backendServices"
		monolith = `{"group": "projects/test-project/global/networkEndpointGroups/monolith"}`
	)
	parts := all(healthCheck, zonalGroup)
	refuse(t, []wrong{
		{
			name: "utilization of an endpoint group", given: parts, method: post, path: services, body: backendBody(`"balancingMode": "UTILIZATION"`, ""),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.backends[0].balancingMode': 'UTILIZATION'. UTILIZATION balancing mode is not supported for network endpoint groups.",
			source: "https://github.com/hashicorp/terraform-provider-google/issues/9400",
		},
		{
			name: "a rate without a limit", given: parts, method: post, path: services, body: backendBody(`"balancingMode": "RATE"`, ""),
			code: 400, reason: "invalid", says: "need maxRate or maxRatePerEndpoint", source: "https://cloud.google.com/load-balancing/docs/backend-service",
		},
		{
			name: "a capacity of 0.05", given: parts, method: post, path: services, body: backendBody(perEndpoint+`, "capacityScaler": 0.05`, ""),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.backends[0].capacityScaler': '0.05'.", source: backendsRef,
		},
		{
			name: "a capacity above 1", given: parts, method: post, path: services, body: backendBody(perEndpoint+`, "capacityScaler": 1.5`, ""),
			code: 400, reason: "invalid", says: "capacityScaler': '1.5'", source: backendsRef,
		},
		{
			name: "the only backend is drained", given: backend, method: patch, path: services + "/web", body: backendBody(perEndpoint+`, "capacityScaler": 0`, ""),
			code: 400, reason: "invalid", says: "only backend cannot be drained", source: backendsRef,
		},
		{
			name: "the internet with a health check", given: all(healthCheck, internet), method: post, path: services,
			body: `{"name": "web", "protocol": "HTTPS", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": ["projects/test-project/global/healthChecks/live"], "backends": [` + monolith + `]}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.healthChecks': ''. Health checks are not allowed for GLOBAL HTTPS backend services with EXTERNAL_MANAGED load balancing scheme that have an Internet NEG.",
			source: "https://github.com/terraform-google-modules/terraform-google-lb-http/issues/413",
		},
		{
			name: "the internet and pods in one service", given: all(parts, internet), method: post, path: services,
			body: `{"name": "web", "protocol": "HTTPS", "loadBalancingScheme": "EXTERNAL_MANAGED", "backends": [` + monolith + `, {"group": "projects/test-project/zones/europe-west1-b/networkEndpointGroups/pods", ` + perEndpoint + `}]}`,
			code: 400, reason: "invalid", says: "cannot be combined with other backends", source: internetNEGs,
		},
		{
			name: "pods without a health check", given: zonalGroup, method: post, path: services,
			body: `{"name": "web", "protocol": "HTTPS", "loadBalancingScheme": "EXTERNAL_MANAGED", "backends": [{"group": "projects/test-project/zones/europe-west1-b/networkEndpointGroups/pods", ` + perEndpoint + `}]}`,
			code: 400, reason: "required", says: "Required field 'resource.healthChecks' not specified", source: backendsRef,
		},
		{
			name: "two health checks", given: all(parts, sent(post, computeAPI+"global/healthChecks", `{"name": "ready", "tcpHealthCheck": {"port": 80}}`)), method: post, path: services,
			body: `{"name": "web", "healthChecks": ["projects/test-project/global/healthChecks/live", "projects/test-project/global/healthChecks/ready"]}`,
			code: 400, reason: "invalid", says: "can have one health check", source: backendsRef,
		},
		{
			name: "a health check with source regions", given: all(zonalGroup, sent(post, computeAPI+"global/healthChecks", `{"name": "live", "checkIntervalSec": 30, "sourceRegions": ["us-central1", "us-east1", "europe-west1"], "httpHealthCheck": {}}`)),
			method: post, path: services, body: backendBody(perEndpoint, ""),
			code: 400, reason: "invalid", says: "cannot be used by a backend service", source: healthRef,
		},
		{
			name: "a health check that is not there", given: zonalGroup, method: post, path: services, body: backendBody(perEndpoint, ""),
			code: 404, reason: "notFound", says: "The resource 'projects/test-project/global/healthChecks/live' was not found", source: computeErrors,
		},
		{
			name: "one group twice", given: parts, method: post, path: services,
			body: `{"name": "web", "healthChecks": ["projects/test-project/global/healthChecks/live"], "backends": [{"group": "projects/test-project/zones/europe-west1-b/networkEndpointGroups/pods", ` + perEndpoint + `},
				{"group": "https://www.googleapis.com/compute/v1/projects/test-project/zones/europe-west1-b/networkEndpointGroups/pods", ` + perEndpoint + `}]}`,
			code: 400, reason: "invalid", says: "Duplicate backend", source: "https://cloud.google.com/load-balancing/docs/backend-service",
		},
		{
			name: "twice as many log entries as requests", given: parts, method: post, path: services, body: backendBody(perEndpoint, `, "logConfig": {"enable": true, "sampleRate": 2}`),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.logConfig.sampleRate': '2'.", source: backendsRef,
		},
		{
			name: "a timeout of no time", given: parts, method: post, path: services, body: backendBody(perEndpoint, `, "timeoutSec": 0`),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.timeoutSec': '0'.", source: backendsRef,
		},
		{
			name: "a cookie for a month", given: parts, method: post, path: services, body: backendBody(perEndpoint, `, "affinityCookieTtlSec": 2592000`),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.affinityCookieTtlSec': '2592000'.", source: backendsRef,
		},
		{
			name: "a fingerprint of before", given: backend, method: put, path: services + "/web", body: backendBody(perEndpoint, `, "fingerprint": "AAAAAAAAAAA="`),
			code: 412, reason: "conditionNotMet", says: "Invalid fingerprint.", source: backendsRef,
		},
		{
			name: "a backend service of a URL map is deleted", given: urlMap, method: remove, path: services + "/web",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The backend_service resource 'projects/test-project/global/backendServices/web' is already being used by 'projects/test-project/global/urlMaps/routes'", source: computeErrors,
		},
		{
			name: "a threshold of nothing for failover", method: post, path: policyAPI + "serviceLbPolicies?serviceLbPolicyId=drain", body: `{"failoverConfig": {"failoverHealthThreshold": 100}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "must be from 1 to 99", source: "https://cloud.google.com/service-mesh/docs/reference/network-services/rest/v1/projects.locations.serviceLbPolicies",
		},
	})
}

func TestWrongURLMapsAreRefused(t *testing.T) {
	const (
		maps    = computeAPI + "global/urlMaps"
		web     = `"projects/test-project/global/backendServices/web"`
		service = `"defaultService": ` + web
	)
	routes := func(fields string) string { return `{"name": "routes", ` + service + `, ` + fields + `}` }
	weighted := func(weights string) string {
		return routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", ` + service + `, "routeRules": [{"priority": 1, "matchRules": [{"prefixMatch": "/"}], "routeAction": {"weightedBackendServices": [` + weights + `]}}]}]`)
	}
	refuse(t, []wrong{
		{
			name: "a path matcher that is not there", given: backend, method: post, path: maps, body: routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}]`),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.hostRules[0].pathMatcher': 'a'.", source: urlMapsRef,
		},
		{
			name: "a host twice", given: backend, method: post, path: maps, body: routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}, {"hosts": ["a.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", ` + service + `}]`),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.hostRules[1].hosts': 'a.example.com'.", source: "https://cloud.google.com/load-balancing/docs/url-map-concepts",
		},
		{
			name: "weights that add up to nothing", given: backend, method: post, path: maps, body: weighted(`{"backendService": ` + web + `, "weight": 0}`),
			code: 400, reason: "invalid", says: "The sum of the weights must be greater than 0.", source: urlMapsRef,
		},
		{
			name: "a weight of 1001", given: backend, method: post, path: maps, body: weighted(`{"backendService": ` + web + `, "weight": 1001}`),
			code: 400, reason: "invalid", says: "weightedBackendServices[0].weight': '1001'. Must be from 0 to 1000.", source: urlMapsRef,
		},
		{
			name: "rules for paths and for routes", given: backend, method: post, path: maps,
			body: routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", ` + service + `, "pathRules": [{"paths": ["/x"], "service": ` + web + `}], "routeRules": [{"priority": 1, "matchRules": [{"prefixMatch": "/"}], "service": ` + web + `}]}]`),
			code: 400, reason: "invalid", says: "pathRules or routeRules, but not both", source: urlMapsRef,
		},
		{
			name: "two routes of one priority", given: backend, method: post, path: maps,
			body: routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", ` + service + `, "routeRules": [{"priority": 1, "matchRules": [{"prefixMatch": "/a"}], "service": ` + web + `}, {"priority": 1, "matchRules": [{"prefixMatch": "/b"}], "service": ` + web + `}]}]`),
			code: 400, reason: "invalid", says: "routeRules[1].priority': '1'. Priorities must be unique.", source: urlMapsRef,
		},
		{
			name: "a route to a service and to elsewhere", given: backend, method: post, path: maps,
			body: routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", ` + service + `, "routeRules": [{"priority": 1, "matchRules": [{"prefixMatch": "/"}], "service": ` + web + `, "urlRedirect": {"httpsRedirect": true}}]}]`),
			code: 400, reason: "invalid", says: "Exactly one of service, urlRedirect and routeAction.weightedBackendServices", source: urlMapsRef,
		},
		{
			name: "a path without a slash", given: backend, method: post, path: maps,
			body: routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", ` + service + `, "pathRules": [{"paths": ["x/*"], "service": ` + web + `}]}]`),
			code: 400, reason: "invalid", says: "pathRules[0].paths': 'x/*'.", source: urlMapsRef,
		},
		{
			name: "an asterisk in the middle of a path", given: backend, method: post, path: maps,
			body: routes(`"hostRules": [{"hosts": ["a.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", ` + service + `, "pathRules": [{"paths": ["/x/*/y"], "service": ` + web + `}]}]`),
			code: 400, reason: "invalid", says: "pathRules[0].paths': '/x/*/y'.", source: urlMapsRef,
		},
		{
			name: "nowhere to go", method: post, path: maps, body: `{"name": "routes"}`,
			code: 400, reason: "required", says: "Required field 'resource.defaultService' not specified", source: urlMapsRef,
		},
		{
			name: "two places to go", given: backend, method: post, path: maps, body: routes(`"defaultUrlRedirect": {"httpsRedirect": true, "stripQuery": false}`),
			code: 400, reason: "invalid", says: "Only one of defaultService, defaultUrlRedirect and defaultRouteAction.weightedBackendServices", source: urlMapsRef,
		},
		{
			name: "a backend service that is not there", method: post, path: maps, body: `{"name": "routes", ` + service + `}`,
			code: 404, reason: "notFound", says: "The resource 'projects/test-project/global/backendServices/web' was not found", source: computeErrors,
		},
		{
			name: "no fingerprint", given: urlMap, method: put, path: maps + "/routes", body: `{"name": "routes", ` + service + `}`,
			code: 412, reason: "conditionNotMet", says: "Invalid fingerprint.", source: urlMapsRef,
		},
		{
			name: "a URL map of a proxy is deleted", given: proxy, method: remove, path: maps + "/routes",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The url_map resource 'projects/test-project/global/urlMaps/routes' is already being used by 'projects/test-project/global/targetHttpsProxies/entry'", source: computeErrors,
		},
	})
}

func TestWrongFrontendsAreRefused(t *testing.T) {
	const (
		proxies = computeAPI + "global/targetHttpsProxies"
		rules   = computeAPI + "global/forwardingRules"
	)
	refuse(t, []wrong{
		{
			name: "a proxy for HTTPS without a certificate", given: urlMap, method: post, path: proxies, body: `{"name": "entry", "urlMap": "projects/test-project/global/urlMaps/routes"}`,
			code: 400, reason: "required", says: "Required field 'resource.sslCertificates' not specified", source: proxiesRef,
		},
		{
			name: "a proxy loses its certificates", given: proxy, method: post, path: computeAPI + "targetHttpsProxies/entry/setSslCertificates", body: `{"sslCertificates": []}`,
			code: 400, reason: "required", says: "At least 1 SSL certificate must be specified for setting SSL certificates in TargetHttpsProxy", source: "https://github.com/hashicorp/terraform-provider-google/issues/17802",
		},
		{
			name: "a proxy without a URL map", given: certMap, method: post, path: proxies, body: `{"name": "entry", "certificateMap": "//certificatemanager.googleapis.com/projects/test-project/locations/global/certificateMaps/names"}`,
			code: 400, reason: "required", says: "Required field 'resource.urlMap' not specified", source: computeErrors,
		},
		{
			name: "a certificate map that is not there", given: urlMap, method: post, path: proxies, body: `{"name": "entry", "urlMap": "projects/test-project/global/urlMaps/routes", "certificateMap": "//certificatemanager.googleapis.com/projects/test-project/locations/global/certificateMaps/names"}`,
			code: 404, reason: "notFound", says: "certificateMaps/names' was not found", source: computeErrors,
		},
		{
			name: "several ports", given: all(proxy, address), method: post, path: rules, body: ruleBody("https", "80-443"),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.portRange': '80-443'.", source: rulesRef,
		},
		{
			name: "port 0", given: all(proxy, address), method: post, path: rules, body: ruleBody("https", "0"),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.portRange'", source: rulesRef,
		},
		{
			name: "an address and a port that another rule has", given: frontend, method: post, path: rules, body: ruleBody("more", "443"),
			code: 400, reason: "invalid", says: "Specified IP address is in-use and would result in a conflict.", source: "https://github.com/GoogleCloudPlatform/k8s-multicluster-ingress/pull/132",
		},
		{
			name: "no target", given: address, method: post, path: rules, body: `{"name": "https", "portRange": "443"}`,
			code: 400, reason: "required", says: "Required field 'resource.target' not specified", source: computeErrors,
		},
		{
			name: "a target that is not there", given: address, method: post, path: rules, body: ruleBody("https", "443"),
			code: 404, reason: "notFound", says: "targetHttpsProxies/entry' was not found", source: computeErrors,
		},
		{
			name: "a rule gets another address", given: frontend, method: patch, path: rules + "/https", body: `{"IPAddress": "203.0.113.77"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.IPAddress'", source: "https://cloud.google.com/compute/docs/reference/rest/v1/globalForwardingRules",
		},
		{
			name: "an address of a rule is deleted", given: frontend, method: remove, path: computeAPI + "global/addresses/front",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The address resource 'projects/test-project/global/addresses/front' is already being used by 'projects/test-project/global/forwardingRules/https'", source: computeErrors,
		},
		{
			name: "labels with a fingerprint of before", given: frontend, method: post, path: rules + "/https/setLabels", body: `{"labels": {"a": "b"}, "labelFingerprint": "AAAAAAAAAAA="}`,
			code: 412, reason: "conditionNotMet", says: "Labels fingerprint either invalid or resource labels have changed", source: "https://cloud.google.com/compute/docs/labeling-resources",
		},
		{
			name: "features of one's own in a profile of Google's", method: post, path: computeAPI + "global/sslPolicies", body: `{"name": "tls", "profile": "MODERN", "customFeatures": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.customFeatures'", source: tlsRef,
		},
		{
			name: "a profile of one's own without features", method: post, path: computeAPI + "global/sslPolicies", body: `{"name": "tls", "profile": "CUSTOM"}`,
			code: 400, reason: "required", says: "Required field 'resource.customFeatures' not specified", source: "https://cloud.google.com/load-balancing/docs/ssl-policies-concepts",
		},
	})
}

func TestWrongSecurityPoliciesAreRefused(t *testing.T) {
	const (
		policies = computeAPI + "global/securityPolicies"
		limits   = `, "rateLimitOptions": {"conformAction": "allow", "exceedAction": "deny(429)", "rateLimitThreshold": {"count": 100, "intervalSec": 60}}`
	)
	refuse(t, []wrong{
		{
			name: "two rules of one priority", method: post, path: policies, body: armorBody(armorRule("10", "allow", "") + "," + armorRule("10", "deny(403)", "")),
			code: 400, reason: "invalid", says: "Cannot have rules with the same priorities.", source: "https://cloud.google.com/armor/docs/configure-security-policies",
		},
		{
			name: "a rule is added at a priority that another has", given: armor, method: post, path: policies + "/shield/addRule", body: armorRule("10", "allow", ""),
			code: 400, reason: "invalid", says: "Cannot have rules with the same priorities.", source: "https://cloud.google.com/armor/docs/configure-security-policies",
		},
		{
			name: "a priority below 0", method: post, path: policies, body: armorBody(armorRule("-1", "allow", "")),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.rules[0].priority': '-1'.", source: armorRef,
		},
		{
			name: "throttling without limits", method: post, path: policies, body: armorBody(armorRule("10", "throttle", "")),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.rules[0].rateLimitOptions'", source: armorRef,
		},
		{
			name: "limits without throttling", method: post, path: policies, body: armorBody(armorRule("10", "allow", limits)),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.rules[0].rateLimitOptions'", source: armorRef,
		},
		{
			name: "500 for those who are denied", method: post, path: policies, body: armorBody(armorRule("10", "deny(500)", "")),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.rules[0].action': 'deny(500)'.", source: armorRef,
		},
		{
			name: "429 for those who are denied for another reason than too many requests", method: post, path: policies, body: armorBody(armorRule("10", "deny(429)", "")),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.rules[0].action': 'deny(429)'.", source: armorRef,
		},
		{
			name: "500 for those who ask too much", method: post, path: policies, body: armorBody(armorRule("10", "throttle", `, "rateLimitOptions": {"conformAction": "allow", "exceedAction": "deny(500)", "rateLimitThreshold": {"count": 100, "intervalSec": 60}}`)),
			code: 400, reason: "invalid", says: "rateLimitOptions.exceedAction': 'deny(500)'.", source: armorRef,
		},
		{
			name: "an action that does not exist", method: post, path: policies, body: armorBody(armorRule("10", "laugh", "")),
			code: 400, reason: "invalid", says: "Invalid value for field 'resource.rules[0].action': 'laugh'.", source: armorRef,
		},
		{
			name: "the default rule is removed", given: armor, method: post, path: policies + "/shield/removeRule?priority=2147483647",
			code: 400, reason: "invalid", says: "Cannot remove the default rule.", source: "https://cloud.google.com/armor/docs/security-policy-overview",
		},
		{
			name: "a rule is patched that is not there", given: armor, method: post, path: policies + "/shield/patchRule?priority=11", body: `{"description": "x"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'priority': '11'. The security policy does not contain a rule at priority 11.", source: "https://github.com/googleapis/python-compute/issues/173",
		},
		{
			name: "a rule is patched without saying which", given: armor, method: post, path: policies + "/shield/patchRule", body: `{"description": "x"}`,
			code: 400, reason: "invalid", says: "Invalid value for field 'priority': '0'.", source: "https://github.com/googleapis/python-compute/issues/173",
		},
		{
			name: "a policy of a backend service is deleted", given: all(backend, armor, sent(post, computeAPI+"global/backendServices/web/setSecurityPolicy", `{"securityPolicy": "projects/test-project/global/securityPolicies/shield"}`)),
			method: remove, path: policies + "/shield",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The security_policy resource 'projects/test-project/global/securityPolicies/shield' is already being used by", source: computeErrors,
		},
	})
}

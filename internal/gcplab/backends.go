package gcplab

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

func itoa(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// addBackends is health checks, backend services and URL maps.
func addBackends(service *engine.Service) {
	service.Kinds["compute.healthChecks"] = &engine.Kind{Immutable: []string{"name"}, Default: defaultHealthCheck, Check: checkHealthCheck}
	service.Kinds["compute.backendServices"] = &engine.Kind{
		Immutable: []string{"name", "loadBalancingScheme"}, Default: defaultBackendService, Check: checkBackendService,
	}
	service.Methods["compute.backendServices.setSecurityPolicy"] = set(map[string]string{"securityPolicy": "securityPolicy"})
	service.Methods["compute.backendServices.setEdgeSecurityPolicy"] = set(map[string]string{"securityPolicy": "edgeSecurityPolicy"})
	service.Methods["compute.backendServices.getHealth"] = backendHealth
	service.Kinds["compute.urlMaps"] = &engine.Kind{Immutable: []string{"name"}, Check: checkURLMap}
}

var healthProtocols = []string{"http", "https", "http2", "tcp", "ssl", "grpc", "grpcTls"}

func defaultHealthCheck(_ *engine.Call, o Object) {
	engine.Default(o, Object{"checkIntervalSec": 5, "timeoutSec": 5, "healthyThreshold": 2, "unhealthyThreshold": 2, "logConfig": Object{"enable": false}})
	for _, protocol := range healthProtocols {
		if _, ok := o[protocol+"HealthCheck"]; ok {
			engine.Default(o, Object{"type": map[string]string{"grpcTls": "GRPC_WITH_TLS"}[protocol]})
			if o["type"] == "" {
				o["type"] = strings.ToUpper(protocol)
			}
		}
	}
	for protocol, port := range map[string]int{"http": 80, "https": 443, "http2": 443} {
		if check, ok := o[protocol+"HealthCheck"].(Object); ok {
			engine.Default(check, Object{"requestPath": "/", "proxyHeader": "NONE"})
			if check["portSpecification"] == nil || check["portSpecification"] == "USE_FIXED_PORT" {
				engine.Default(check, Object{"port": port})
			}
		}
	}
	for _, protocol := range []string{"tcp", "ssl"} {
		if check, ok := o[protocol+"HealthCheck"].(Object); ok {
			engine.Default(check, Object{"proxyHeader": "NONE"})
		}
	}
}

// checkHealthCheck has the rules of https://cloud.google.com/compute/docs/reference/rest/v1/healthChecks.
func checkHealthCheck(_ *engine.Call, _, o Object) error {
	interval, _ := number(o["checkIntervalSec"])
	timeout, _ := number(o["timeoutSec"])
	if timeout > interval {
		return invalidField("timeoutSec", itoa(timeout), "Timeout must be less than or equal to the check interval, which is %s.", itoa(interval))
	}
	if interval < 1 || interval > 300 {
		return invalidField("checkIntervalSec", itoa(interval), "Must be between 1 and 300.")
	}
	kinds := 0
	for _, protocol := range healthProtocols {
		if _, ok := o[protocol+"HealthCheck"]; ok {
			kinds++
		}
	}
	if kinds != 1 {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Exactly one protocol-specific field must be specified for a health check.")
	}
	if regions := engine.List(o, "sourceRegions"); len(regions) > 0 {
		if len(regions) != 3 {
			return invalidField("sourceRegions", len(regions), "Exactly 3 regions must be specified.")
		}
		if interval < 30 {
			return invalidField("checkIntervalSec", itoa(interval), "With sourceRegions the check interval must be at least 30 seconds.")
		}
		if kind := engine.Text(o, "type"); kind != "HTTP" && kind != "HTTPS" && kind != "TCP" {
			return invalidField("type", kind, "With sourceRegions the protocol must be HTTP, HTTPS or TCP.")
		}
	}
	return nil
}

func defaultBackendService(_ *engine.Call, o Object) {
	engine.Default(o, Object{
		"protocol": "HTTP", "loadBalancingScheme": "EXTERNAL", "timeoutSec": 30, "sessionAffinity": "NONE", "affinityCookieTtlSec": 0,
		"connectionDraining": Object{"drainingTimeoutSec": 0}, "enableCDN": false, "iap": Object{"enabled": false},
	})
	port := 80
	if o["protocol"] == "HTTPS" || o["protocol"] == "HTTP2" {
		port = 443
	}
	engine.Default(o, Object{"port": port, "portName": strings.ToLower(engine.Text(o, "protocol"))})
	log := engine.Ensure(o, "logConfig")
	engine.Default(log, Object{"enable": false})
	if log["enable"] == true {
		engine.Default(log, Object{"sampleRate": 1, "optionalMode": "EXCLUDE_ALL_OPTIONAL"})
	}
	for _, backend := range engine.Objects(o, "backends") {
		if kind := endpointType(engine.Text(backend, "group")); kind == "internet" {
			continue
		}
		engine.Default(backend, Object{"balancingMode": "UTILIZATION", "capacityScaler": 1})
	}
}

// endpointType tells a global group, which has internet endpoints, from a zonal one by its link.
func endpointType(group string) string {
	if strings.Contains(group, "/global/networkEndpointGroups/") {
		return "internet"
	}
	if strings.Contains(group, "/networkEndpointGroups/") {
		return "zonal"
	}
	return ""
}

// checkBackendService has the rules of https://cloud.google.com/load-balancing/docs/backend-service.
func checkBackendService(c *engine.Call, _, o Object) error {
	internet, others, seen := 0, 0, map[string]bool{}
	for i, backend := range engine.Objects(o, "backends") {
		field := fmt.Sprintf("backends[%d].", i)
		group := engine.Text(backend, "group")
		name, ok := c.Resolve(group)
		if !ok {
			return invalidField(field+"group", group, "The URL is malformed.")
		}
		if seen[name] {
			return invalidField(field+"group", group, "Duplicate backend: the group is in the backend service already.")
		}
		seen[name] = true
		scaler, ok := number(backend["capacityScaler"])
		if ok && scaler != 0 && (scaler < 0.1 || scaler > 1) {
			return invalidField(field+"capacityScaler", itoa(scaler), "Must be 0, or from 0.1 to 1.")
		}
		if endpointType(group) == "internet" {
			internet++
			continue
		}
		others++
		if endpointType(group) == "zonal" {
			if backend["balancingMode"] == "UTILIZATION" {
				return invalidField(field+"balancingMode", "UTILIZATION", "UTILIZATION balancing mode is not supported for network endpoint groups.")
			}
			if backend["balancingMode"] == "RATE" && backend["maxRate"] == nil && backend["maxRatePerEndpoint"] == nil {
				return invalidField(field+"maxRatePerEndpoint", "", "Backends with balancing mode RATE need maxRate or maxRatePerEndpoint.")
			}
		}
	}
	if backends := engine.Objects(o, "backends"); len(backends) == 1 && others == 1 {
		if scaler, ok := number(backends[0]["capacityScaler"]); ok && scaler == 0 {
			return invalidField("backends[0].capacityScaler", 0, "A backend service's only backend cannot be drained.")
		}
	}
	checks := engine.List(o, "healthChecks")
	for _, check := range checks {
		name, _ := c.Resolve(fmt.Sprint(check))
		if entry := c.Cloud.Get(name); entry != nil && len(engine.List(entry.Data, "sourceRegions")) > 0 {
			return invalidField("healthChecks[0]", check, "A health check with sourceRegions cannot be used by a backend service.")
		}
	}
	switch {
	case internet > 0 && others > 0:
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.backends': ''. Internet network endpoint groups cannot be combined with other backends.")
	case internet > 1:
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.backends': ''. A backend service can have one global internet network endpoint group.")
	case internet > 0 && len(checks) > 0:
		return invalidField("healthChecks", "", "Health checks are not allowed for GLOBAL %v backend services with %v load balancing scheme that have an Internet NEG.", o["protocol"], o["loadBalancingScheme"])
	case others > 0 && len(checks) == 0:
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.healthChecks' not specified")
	case len(checks) > 1:
		return invalidField("healthChecks", len(checks), "A backend service can have one health check.")
	}
	if rate, ok := number(engine.Sub(o, "logConfig")["sampleRate"]); ok && (rate < 0 || rate > 1) {
		return invalidField("logConfig.sampleRate", itoa(rate), "Must be from 0 to 1.")
	}
	if lifetime, ok := number(o["affinityCookieTtlSec"]); ok && (lifetime < 0 || lifetime > 1209600) {
		return invalidField("affinityCookieTtlSec", itoa(lifetime), "Must be from 0 to 1209600.")
	}
	if timeout, ok := number(o["timeoutSec"]); ok && (timeout < 1 || timeout > 2147483647) {
		return invalidField("timeoutSec", itoa(timeout), "Must be from 1 to 2147483647.")
	}
	return nil
}

// backendHealth says that all endpoints that are attached are healthy, those of a drained backend, too.
func backendHealth(c *engine.Call) (any, error) {
	if _, err := c.Up(1).Target(); err != nil {
		return nil, err
	}
	name, ok := c.Resolve(engine.Text(c.Body, "group"))
	if !ok || c.Cloud.Get(name) == nil {
		return nil, c.Service.NotFound(c, engine.Text(c.Body, "group"))
	}
	var statuses []any
	for _, endpoint := range engine.Objects(c.Cloud.Get(name).Data, hiddenEndpoints) {
		statuses = append(statuses, Object{"healthState": "HEALTHY", "ipAddress": endpoint["ipAddress"], "port": endpoint["port"]})
	}
	return Object{"kind": "compute#backendServiceGroupHealth", "healthStatus": statuses}, nil
}

// checkURLMap has the rules of https://cloud.google.com/load-balancing/docs/url-map-concepts.
func checkURLMap(_ *engine.Call, _, o Object) error {
	matchers := map[string]bool{}
	for i, matcher := range engine.Objects(o, "pathMatchers") {
		name := engine.Text(matcher, "name")
		if matchers[name] {
			return invalidField(fmt.Sprintf("pathMatchers[%d].name", i), name, "Duplicate path matcher name.")
		}
		matchers[name] = true
		if err := checkRoutes(fmt.Sprintf("pathMatchers[%d].", i), matcher); err != nil {
			return err
		}
	}
	hosts := map[string]bool{}
	for i, rule := range engine.Objects(o, "hostRules") {
		if name := engine.Text(rule, "pathMatcher"); !matchers[name] {
			return invalidField(fmt.Sprintf("hostRules[%d].pathMatcher", i), name, "There is no path matcher of this name.")
		}
		for _, host := range engine.List(rule, "hosts") {
			text, _ := host.(string)
			if hosts[text] {
				return invalidField(fmt.Sprintf("hostRules[%d].hosts", i), text, "Duplicate host.")
			}
			hosts[text] = true
		}
	}
	return checkDefault("", o)
}

func checkRoutes(field string, matcher Object) error {
	paths := map[string]bool{}
	for i, rule := range engine.Objects(matcher, "pathRules") {
		for _, path := range engine.List(rule, "paths") {
			text, _ := path.(string)
			if !strings.HasPrefix(text, "/") || strings.Contains(strings.TrimSuffix(text, "/*"), "*") {
				return invalidField(fmt.Sprintf("%spathRules[%d].paths", field, i), text, "A path must start with '/' and have '*' only at its end, behind '/'.")
			}
			if paths[text] {
				return invalidField(fmt.Sprintf("%spathRules[%d].paths", field, i), text, "Duplicate path.")
			}
			paths[text] = true
		}
		if err := checkTarget(fmt.Sprintf("%spathRules[%d].", field, i), rule); err != nil {
			return err
		}
	}
	priorities := map[float64]bool{}
	for i, rule := range engine.Objects(matcher, "routeRules") {
		priority, _ := number(rule["priority"])
		if priorities[priority] {
			return invalidField(fmt.Sprintf("%srouteRules[%d].priority", field, i), itoa(priority), "Priorities must be unique.")
		}
		priorities[priority] = true
		if err := checkTarget(fmt.Sprintf("%srouteRules[%d].", field, i), rule); err != nil {
			return err
		}
	}
	if len(paths) > 0 && len(priorities) > 0 {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.%s': ''. A path matcher can have pathRules or routeRules, but not both.", strings.TrimSuffix(field, "."))
	}
	return checkDefault(field, matcher)
}

func checkDefault(field string, o Object) error {
	action := engine.Sub(o, "defaultRouteAction")
	targets := 0
	for _, given := range []bool{engine.Text(o, "defaultService") != "", o["defaultUrlRedirect"] != nil, len(engine.List(action, "weightedBackendServices")) > 0} {
		if given {
			targets++
		}
	}
	switch {
	case targets == 0:
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.%sdefaultService' not specified", field)
	case targets > 1:
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.%sdefaultService': '%v'. Only one of defaultService, defaultUrlRedirect and defaultRouteAction.weightedBackendServices can be set.", field, o["defaultService"])
	}
	return checkWeights(field+"defaultRouteAction.", action)
}

func checkTarget(field string, rule Object) error {
	action := engine.Sub(rule, "routeAction")
	targets := 0
	for _, name := range []string{"service", "urlRedirect"} {
		if rule[name] != nil {
			targets++
		}
	}
	if len(engine.List(action, "weightedBackendServices")) > 0 {
		targets++
	}
	if targets != 1 {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.%sservice': ''. Exactly one of service, urlRedirect and routeAction.weightedBackendServices must be specified.", field)
	}
	return checkWeights(field+"routeAction.", action)
}

func checkWeights(field string, action Object) error {
	sum := 0.0
	services := engine.Objects(action, "weightedBackendServices")
	for i, each := range services {
		weight, _ := number(each["weight"])
		if weight < 0 || weight > 1000 {
			return invalidField(fmt.Sprintf("%sweightedBackendServices[%d].weight", field, i), itoa(weight), "Must be from 0 to 1000.")
		}
		sum += weight
	}
	if len(services) > 0 && sum == 0 {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.%sweightedBackendServices': ''. The sum of the weights must be greater than 0.", field)
	}
	return nil
}

package gcplab

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// addFrontends is target proxies, SSL policies and forwarding rules.
func addFrontends(service *engine.Service) {
	service.Kinds["compute.targetHttpProxies"] = &engine.Kind{
		Immutable: []string{"name"},
		Default:   func(_ *engine.Call, o Object) { engine.Default(o, Object{"proxyBind": false}) },
		Check:     needURLMap,
	}
	service.Kinds["compute.targetHttpsProxies"] = &engine.Kind{
		Immutable: []string{"name"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"proxyBind": false, "quicOverride": "NONE", "tlsEarlyData": "DISABLED"})
		},
		Check: func(c *engine.Call, old, o Object) error {
			if engine.Text(o, "certificateMap") == "" && len(engine.List(o, "sslCertificates")) == 0 {
				return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.sslCertificates' not specified")
			}
			return needURLMap(c, old, o)
		},
	}
	for _, collection := range []string{"targetHttpProxies", "targetHttpsProxies"} {
		service.Methods["compute."+collection+".setUrlMap"] = set(map[string]string{"urlMap": "urlMap"})
	}
	setCertificates := set(map[string]string{"sslCertificates": "sslCertificates"})
	service.Methods["compute.targetHttpsProxies.setSslCertificates"] = func(c *engine.Call) (any, error) {
		if len(engine.List(c.Body, "sslCertificates")) == 0 {
			return nil, engine.Errorf(http.StatusBadRequest, "required", "At least 1 SSL certificate must be specified for setting SSL certificates in TargetHttpsProxy.")
		}
		return setCertificates(c)
	}
	service.Methods["compute.targetHttpsProxies.setSslPolicy"] = set(map[string]string{"sslPolicy": "sslPolicy"})
	service.Methods["compute.targetHttpsProxies.setCertificateMap"] = set(map[string]string{"certificateMap": "certificateMap"})
	service.Methods["compute.targetHttpsProxies.setQuicOverride"] = set(map[string]string{"quicOverride": "quicOverride"})
	service.Kinds["compute.sslPolicies"] = &engine.Kind{
		Immutable: []string{"name"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"profile": "COMPATIBLE", "minTlsVersion": "TLS_1_0"})
			if o["profile"] != "CUSTOM" {
				o["enabledFeatures"] = profileFeatures[engine.Text(o, "profile")]
			}
		},
		Check: func(_ *engine.Call, _, o Object) error {
			if o["profile"] != "CUSTOM" && len(engine.List(o, "customFeatures")) > 0 {
				return invalidField("customFeatures", o["customFeatures"], "Custom features can only be set with profile CUSTOM.")
			}
			if o["profile"] == "CUSTOM" && len(engine.List(o, "customFeatures")) == 0 {
				return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.customFeatures' not specified")
			}
			return nil
		},
	}
	service.Kinds["compute.globalForwardingRules"] = &engine.Kind{
		Immutable: []string{"name", "IPAddress", "IPProtocol", "portRange", "loadBalancingScheme"}, Default: defaultForwardingRule, Check: checkForwardingRule,
	}
	service.Methods["compute.globalForwardingRules.setTarget"] = set(map[string]string{"target": "target"})
}

func needURLMap(_ *engine.Call, _, o Object) error {
	if engine.Text(o, "urlMap") == "" {
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.urlMap' not specified")
	}
	return nil
}

// profileFeatures are the ciphers of the profiles that this project uses:
// https://cloud.google.com/load-balancing/docs/ssl-policies-concepts#feature_support.
var profileFeatures = map[string][]any{
	"RESTRICTED": {
		"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	},
	"MODERN": {
		"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	},
}

func defaultForwardingRule(c *engine.Call, o Object) {
	engine.Default(o, Object{"IPProtocol": "TCP", "loadBalancingScheme": "EXTERNAL", "networkTier": "PREMIUM"})
	if ports := engine.Text(o, "portRange"); ports != "" && !strings.Contains(ports, "-") {
		o["portRange"] = ports + "-" + ports
	}
	address := engine.Text(o, "IPAddress")
	if name, ok := c.Resolve(address); ok {
		// The rule has the address itself, whichever way it was given.
		if entry := c.Cloud.Get(name); entry != nil {
			o["IPAddress"] = entry.Data["address"]
		}
	} else if address == "" {
		o["IPAddress"] = freeAddress(c)
	}
}

// checkForwardingRule has the rules of https://cloud.google.com/load-balancing/docs/forwarding-rule-concepts.
func checkForwardingRule(c *engine.Call, old, o Object) error {
	target := engine.Text(o, "target")
	if target == "" {
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.target' not specified")
	}
	first, end, _ := strings.Cut(engine.Text(o, "portRange"), "-")
	port, err := strconv.Atoi(first)
	if err != nil || port < 1 || port > 65535 || first != end {
		return invalidField("portRange", o["portRange"], "The load balancer takes exactly one port from 1 to 65535.")
	}
	if old != nil {
		return nil
	}
	clash := slices.ContainsFunc(c.Cloud.Entries("compute.globalForwardingRules", ""), func(entry *engine.Entry) bool {
		return entry.Data["IPAddress"] == o["IPAddress"] && entry.Data["portRange"] == o["portRange"] && entry.Data["IPProtocol"] == o["IPProtocol"]
	})
	if clash {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.IPAddress': '%v'. Specified IP address is in-use and would result in a conflict.", o["IPAddress"])
	}
	return nil
}

// addSecurityPolicies is Cloud Armor: https://cloud.google.com/armor/docs/security-policy-overview.
func addSecurityPolicies(service *engine.Service) {
	service.Kinds["compute.securityPolicies"] = &engine.Kind{
		Immutable: []string{"name", "type"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"type": "CLOUD_ARMOR"})
			hasDefault := false
			for _, rule := range engine.Objects(o, "rules") {
				defaultRule(rule)
				hasDefault = hasDefault || isDefaultRule(rule)
			}
			if !hasDefault {
				o["rules"] = append(engine.List(o, "rules"), Object{
					"kind": "compute#securityPolicyRule", "priority": lowestPriority, "action": "allow", "preview": false, "description": "Default rule, higher priority overrides it",
					"match": Object{"versionedExpr": "SRC_IPS_V1", "config": Object{"srcIpRanges": []any{"*"}}},
				})
			}
		},
		Check: func(_ *engine.Call, _, o Object) error {
			seen := map[float64]bool{}
			for i, rule := range engine.Objects(o, "rules") {
				priority, ok := number(rule["priority"])
				if !ok || priority < 0 || priority > lowestPriority {
					return invalidField(fmt.Sprintf("rules[%d].priority", i), rule["priority"], "Must be from 0 to 2147483647.")
				}
				if seen[priority] {
					return invalidField(fmt.Sprintf("rules[%d].priority", i), itoa(priority), "Cannot have rules with the same priorities.")
				}
				seen[priority] = true
				if err := checkSecurityRule(fmt.Sprintf("rules[%d].", i), rule); err != nil {
					return err
				}
			}
			return nil
		},
	}
	service.Methods["compute.securityPolicies.addRule"] = func(c *engine.Call) (any, error) {
		return changeRules(c, func(rules []any) ([]any, error) {
			rule := engine.Clone(c.Body)
			defaultRule(rule)
			return append(rules, rule), nil
		})
	}
	service.Methods["compute.securityPolicies.patchRule"] = func(c *engine.Call) (any, error) {
		return changeRules(c, func(rules []any) ([]any, error) {
			rule, _, err := findRule(c, rules)
			if err == nil {
				engine.Merge(rule, c.Body)
			}
			return rules, err
		})
	}
	service.Methods["compute.securityPolicies.removeRule"] = func(c *engine.Call) (any, error) {
		return changeRules(c, func(rules []any) ([]any, error) {
			rule, index, err := findRule(c, rules)
			if err == nil && isDefaultRule(rule) {
				err = engine.Errorf(http.StatusBadRequest, "invalid", "Cannot remove the default rule.")
			}
			if err != nil {
				return nil, err
			}
			return append(append([]any{}, rules[:index]...), rules[index+1:]...), nil
		})
	}
	service.Methods["compute.securityPolicies.getRule"] = func(c *engine.Call) (any, error) {
		entry, err := c.Up(1).Target()
		if err != nil {
			return nil, err
		}
		rule, _, err := findRule(c, engine.List(entry.Data, "rules"))
		return rule, err
	}
}

const lowestPriority = 2147483647

func isDefaultRule(rule Object) bool {
	priority, _ := number(rule["priority"])
	return priority == lowestPriority
}

func defaultRule(rule Object) {
	engine.Default(rule, Object{"kind": "compute#securityPolicyRule", "preview": false})
}

func checkSecurityRule(field string, rule Object) error {
	action := engine.Text(rule, "action")
	known := action == "allow" || action == "throttle" || action == "rate_based_ban" || action == "redirect" || strings.HasPrefix(action, "deny(")
	if !known {
		return invalidField(field+"action", action, "Must be allow, deny(STATUS), rate_based_ban, redirect or throttle.")
	}
	limits := len(engine.Sub(rule, "rateLimitOptions")) > 0
	if limits != (action == "throttle" || action == "rate_based_ban") {
		return invalidField(field+"rateLimitOptions", action, "Rate limit options go with the actions throttle and rate_based_ban, and only with them.")
	}
	if strings.HasPrefix(action, "deny(") && !slices.Contains([]string{"deny(403)", "deny(404)", "deny(502)"}, action) {
		return invalidField(field+"action", action, "The status must be 403, 404 or 502.")
	}
	exceed := engine.Text(engine.Sub(rule, "rateLimitOptions"), "exceedAction")
	if limits && !slices.Contains([]string{"deny(403)", "deny(404)", "deny(429)", "deny(502)", "redirect"}, exceed) {
		return invalidField(field+"rateLimitOptions.exceedAction", exceed, "Must be deny(STATUS) with status 403, 404, 429 or 502, or redirect.")
	}
	return nil
}

func findRule(c *engine.Call, rules []any) (Object, int, error) {
	priority := cmp.Or(c.Query["priority"], "0")
	for i, each := range rules {
		rule, _ := each.(Object)
		if given, _ := number(rule["priority"]); itoa(given) == priority {
			return rule, i, nil
		}
	}
	return nil, 0, engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'priority': '%s'. The security policy does not contain a rule at priority %s.", priority, priority)
}

func changeRules(c *engine.Call, change func([]any) ([]any, error)) (any, error) {
	target := c.Up(1)
	entry, err := target.Target()
	if err != nil {
		return nil, err
	}
	changed := engine.Clone(entry.Data)
	rules, err := change(engine.List(changed, "rules"))
	if err != nil {
		return nil, err
	}
	changed["rules"] = rules
	return target.Change(entry, changed)
}

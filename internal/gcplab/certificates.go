package gcplab

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// newCertificateManager is Certificate Manager: https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest.
func newCertificateManager(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.Invalid = func(_ *engine.Call, violations []discovery.Violation) *engine.Error {
		var fields []string
		for _, violation := range violations {
			if violation.Kind != discovery.ImmutableField {
				return nil
			}
			fields = append(fields, violation.ProtoField())
		}
		return &engine.Error{Code: http.StatusBadRequest, Message: "Validation failed: paths not permitted to be updated: " + strings.Join(fields, ","), Violations: violations}
	}
	const locations = "certificatemanager.projects.locations."
	service.Kinds[locations+"certificates"] = &engine.Kind{
		Immutable: []string{"scope", "managed.domains", "managed.dnsAuthorizations"},
		Default: func(_ *engine.Call, o Object) {
			if managed, ok := o["managed"].(Object); ok {
				// Nobody asks the DNS here: a certificate would be issued once the records are there.
				managed["state"] = "PROVISIONING"
				o["sanDnsnames"] = managed["domains"]
			}
		},
		Check: checkCertificate,
	}
	service.Kinds[locations+"dnsAuthorizations"] = &engine.Kind{
		Immutable: []string{"domain", "type"},
		Default:   func(_ *engine.Call, o Object) { engine.Default(o, Object{"type": "FIXED_RECORD"}) },
		Created: func(c *engine.Call, o Object) {
			o["dnsResourceRecord"] = Object{
				"name": "_acme-challenge." + engine.Text(o, "domain") + ".", "type": "CNAME",
				"data": c.Serial() + ".authorize.certificatemanager.goog.",
			}
		},
		Check: func(_ *engine.Call, _, o Object) error {
			if domain := engine.Text(o, "domain"); !validDNSName(domain+".") || strings.HasPrefix(domain, "*.") {
				return engine.Errorf(http.StatusBadRequest, "", "Invalid domain %q: give the domain itself, without '*.' and without a dot at its end.", domain)
			}
			return nil
		},
	}
	service.Kinds[locations+"certificateMaps"] = &engine.Kind{
		Delete: func(c *engine.Call, entry *engine.Entry) error {
			if entries := c.Cloud.Entries(locations+"certificateMaps.certificateMapEntries", entry.Name+"/"); len(entries) > 0 {
				return engine.Preconditionf("can't delete certificate map that has %d certificate map entries", len(entries))
			}
			if users := c.Users(entry.Name); len(users) > 0 {
				return engine.Preconditionf("can't delete certificate map that is referenced by a TargetHttpsProxy: %s", users[0])
			}
			return nil
		},
	}
	service.Kinds[locations+"certificateMaps.certificateMapEntries"] = &engine.Kind{
		Immutable: []string{"hostname", "matcher"},
		Default:   func(_ *engine.Call, o Object) { engine.Default(o, Object{"state": "ACTIVE"}) },
		Check: func(c *engine.Call, old, o Object) error {
			if (engine.Text(o, "hostname") == "") == (engine.Text(o, "matcher") == "") {
				return engine.Errorf(http.StatusBadRequest, "", "Exactly one of hostname and matcher must be set.")
			}
			for _, other := range c.Cloud.Entries(c.Method.Collection(), c.Service.Host()+"/"+strings.Join(c.Path[:len(c.Path)-1], "/")+"/") {
				if old == nil && other.Data["hostname"] == o["hostname"] && other.Data["matcher"] == o["matcher"] {
					return engine.Errorf(http.StatusConflict, "", "There is an entry for this hostname in the map already: %s", other.Data["name"])
				}
			}
			return nil
		},
	}
	return service
}

func checkCertificate(c *engine.Call, _, o Object) error {
	managed, ok := o["managed"].(Object)
	if !ok {
		return nil
	}
	domains := engine.List(managed, "domains")
	if len(domains) == 0 {
		return engine.Errorf(http.StatusBadRequest, "", "managed.domains must not be empty.")
	}
	if len(domains) > 100 {
		return engine.Errorf(http.StatusBadRequest, "", "managed.domains has %d domains, and must have at most 100.", len(domains))
	}
	authorized := map[string]bool{}
	for _, each := range engine.List(managed, "dnsAuthorizations") {
		text, _ := each.(string)
		if name, ok := c.Resolve(text); ok && c.Cloud.Get(name) != nil {
			authorized[engine.Text(c.Cloud.Get(name).Data, "domain")] = true
		}
	}
	for _, each := range domains {
		domain, _ := each.(string)
		if !validDNSName(strings.TrimPrefix(domain, "*.") + ".") {
			return engine.Errorf(http.StatusBadRequest, "", "Invalid domain %q.", domain)
		}
		wildcard := strings.HasPrefix(domain, "*.")
		if wildcard && len(authorized) == 0 {
			return engine.Errorf(http.StatusBadRequest, "", "Wildcard domain %q needs a DNS authorization.", domain)
		}
		if len(authorized) > 0 && !authorized[strings.TrimPrefix(domain, "*.")] {
			return engine.Errorf(http.StatusBadRequest, "", "%s", fmt.Sprintf("Domain %q has no DNS authorization among those given.", domain))
		}
	}
	return nil
}

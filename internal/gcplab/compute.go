package gcplab

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// Object is a JSON object.
type Object = engine.Object

const computeURL = "https://www.googleapis.com/compute/v1/"

// newCompute is Compute Engine: https://cloud.google.com/compute/docs/reference/rest/v1.
func newCompute(api *discovery.API) *engine.Service {
	service := &engine.Service{
		APIs:    []*discovery.API{api},
		Kinds:   map[string]*engine.Kind{},
		Methods: map[string]func(*engine.Call) (any, error){},
		// The provider sends these each time, so Google must take them.
		Undocumented: map[string][]string{
			"compute.networks": {"routingConfig.deleteBgpAlwaysCompareMed"},
			"compute.routers":  {"nats.initialNatIps"},
		},
		Stamp:     stampCompute,
		Touch:     touchCompute,
		Check:     checkFingerprint,
		Operation: computeOperation,
		Invalid:   computeInvalid,
		NotFound: func(_ *engine.Call, name string) *engine.Error {
			return engine.Errorf(http.StatusNotFound, "notFound", "The resource '%s' was not found", name)
		},
		NoProject: func(_ *engine.Call, id string) *engine.Error {
			return engine.Errorf(http.StatusNotFound, "notFound", "The resource 'projects/%s' was not found", id)
		},
		Exists: func(_ *engine.Call, name string) *engine.Error {
			return engine.Errorf(http.StatusConflict, "alreadyExists", "The resource '%s' already exists", name)
		},
	}
	addLocations(service)
	addNetworking(service)
	addAddresses(service)
	addEndpointGroups(service)
	addBackends(service)
	addFrontends(service)
	addSecurityPolicies(service)
	for _, collection := range []string{"globalAddresses", "addresses", "globalForwardingRules", "forwardingRules", "securityPolicies"} {
		service.Methods["compute."+collection+".setLabels"] = setLabels
	}
	return service
}

// stampCompute fills in what all resources of Compute Engine have.
func stampCompute(c *engine.Call, o Object) {
	api, schema := c.Method.API(), c.Method.Request
	o["id"] = c.Serial()
	o["kind"] = api.DefaultOf(schema, "kind")
	o["creationTimestamp"] = c.Time()
	o["selfLink"] = computeURL + c.Name()
	for _, place := range []string{"region", "zone"} {
		if value := c.After(place + "s"); value != "" {
			o[place] = computeURL + "projects/" + c.Project().ID + "/" + place + "s/" + value
		}
	}
	if api.Has(schema, "labelFingerprint") {
		o["labelFingerprint"] = fingerprint(o["labels"])
	}
	touchCompute(c, o)
}

// touchCompute writes links in full and a new fingerprint, after each change.
func touchCompute(c *engine.Call, o Object) {
	writeLinks(c, o)
	if schema := c.Schema(); c.Method.API().Has(schema, "fingerprint") {
		delete(o, "fingerprint")
		o["fingerprint"] = fingerprint(o)
	}
}

func writeLinks(c *engine.Call, o Object) {
	engine.Rewrite(o, func(_ []string, text string) string {
		if name, ok := c.Resolve(text); ok {
			if short, ok := strings.CutPrefix(name, "compute.googleapis.com/"); ok {
				return computeURL + short
			}
		}
		return text
	})
}

func fingerprint(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return base64.StdEncoding.EncodeToString(sum[:8])
}

// checkFingerprint refuses a change that was made of something older than what is there:
// https://cloud.google.com/compute/docs/reference/rest/v1/backendServices/patch ("fingerprint").
func checkFingerprint(c *engine.Call, old Object) error {
	given, current := engine.Text(c.Body, "fingerprint"), engine.Text(old, "fingerprint")
	if current == "" || given == current {
		return nil
	}
	if given == "" && !needsFingerprint[c.Method.ID] {
		return nil
	}
	return engine.Errorf(http.StatusPreconditionFailed, "conditionNotMet", "Invalid fingerprint.")
}

// needsFingerprint has the methods that refuse a body without one.
var needsFingerprint = map[string]bool{
	"compute.urlMaps.update":         true,
	"compute.backendServices.update": true,
	"compute.subnetworks.patch":      true,
	"compute.sslPolicies.patch":      true,
}

func setLabels(c *engine.Call) (any, error) {
	target := c.Up(1)
	entry, err := target.Target()
	if err != nil {
		return nil, err
	}
	if engine.Text(c.Body, "labelFingerprint") != engine.Text(entry.Data, "labelFingerprint") {
		return nil, engine.Errorf(http.StatusPreconditionFailed, "conditionNotMet", "Labels fingerprint either invalid or resource labels have changed")
	}
	return replace(c, entry, func(changed Object) {
		changed["labels"] = c.Body["labels"]
		changed["labelFingerprint"] = fingerprint(c.Body["labels"])
	}), nil
}

// replace changes an object without the checks of an update and answers with an operation; if that fails, the object is as it
// was.
func replace(c *engine.Call, entry *engine.Entry, change func(Object)) Object {
	old := entry.Data
	entry.Data = engine.Clone(old)
	change(entry.Data)
	return c.Service.Operation(c.Begin(entry.Name, nil, func() { entry.Data = old }))
}

// set makes a method that replaces one field of the resource before the verb, whatever it is named in the body.
func set(fields map[string]string) func(*engine.Call) (any, error) {
	return func(c *engine.Call) (any, error) {
		target := c.Up(1)
		if len(target.Path) == 4 && target.Path[2] != "global" {
			// setUrlMap and setSslCertificates lack "global" in their paths.
			target.Path = []string{"projects", target.Path[1], "global", target.Path[2], target.Path[3]}
		}
		entry, err := target.Target()
		if err != nil {
			return nil, err
		}
		changed := engine.Clone(entry.Data)
		for from, to := range fields {
			if value, ok := c.Body[from]; ok && value != "" {
				changed[to] = value
			} else {
				delete(changed, to)
			}
		}
		return target.Change(entry, changed)
	}
}

func computeOperation(o *engine.Operation) Object {
	c := o.Call
	place, scope := "", "projects/"+c.Project().ID+"/global"
	for _, kind := range []string{"zone", "region"} {
		if value := c.After(kind + "s"); value != "" {
			place, scope = kind, "projects/"+c.Project().ID+"/"+kind+"s/"+value
		}
	}
	_, target, _ := strings.Cut(o.Target, "/")
	result := Object{
		"kind": "compute#operation", "id": c.Serial(), "name": o.ID, "operationType": c.Method.Verb(), "status": "RUNNING",
		"targetLink": computeURL + target, "selfLink": computeURL + scope + "/operations/" + o.ID, "progress": 0,
		"insertTime": stamp(o.Start), "startTime": stamp(o.Start),
	}
	if place != "" {
		result[place] = computeURL + scope
	}
	if o.Done() {
		result["status"], result["progress"], result["endTime"] = "DONE", 100, stamp(o.End)
		if o.Err != nil {
			result["httpErrorStatusCode"], result["httpErrorMessage"] = o.Err.Code, http.StatusText(o.Err.Code)
			result["error"] = Object{"errors": []any{Object{"code": operationCode(o.Err), "message": o.Err.Message}}}
		}
	}
	return result
}

func operationCode(err *engine.Error) string {
	if err.Reason != "" {
		return err.Reason
	}
	return strings.ToUpper(strings.ReplaceAll(http.StatusText(err.Code), " ", "_"))
}

// computeInvalid has Compute Engine's own words for a bad value:
// https://cloud.google.com/compute/docs/reference/rest/v1/errors.
func computeInvalid(_ *engine.Call, violations []discovery.Violation) *engine.Error {
	violation := violations[0]
	switch violation.Kind {
	case discovery.PatternMismatch:
		return invalidField(violation.Field, violation.Value, "Must be a match of regex '(?:%s)'", violation.Pattern)
	case discovery.MissingField:
		return engine.Errorf(http.StatusBadRequest, "required", "Required field 'resource.%s' not specified", violation.Field)
	case discovery.ImmutableField:
		return invalidField(violation.Field, violation.Value, "The field cannot be changed after creation.")
	case discovery.UnknownEnum:
		return invalidField(violation.Field, violation.Value, "The value is not one of those that the field can have.")
	}
	return nil
}

func invalidField(field string, value any, format string, args ...any) *engine.Error {
	return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid value for field 'resource.%s': '%v'. %s", field, value, fmt.Sprintf(format, args...))
}

package gcplab

import (
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// newStandard makes a service of the kind that Google's newer APIs are of: names as in https://google.aip.dev/122, errors as
// in https://google.aip.dev/193, operations as in https://google.aip.dev/151.
func newStandard(apis ...*discovery.API) *engine.Service {
	return &engine.Service{
		APIs:      apis,
		Kinds:     map[string]*engine.Kind{},
		Methods:   map[string]func(*engine.Call) (any, error){},
		Stamp:     stampStandard,
		Touch:     touchStandard,
		Check:     checkEtag,
		Operation: longRunning,
		NotFound: func(_ *engine.Call, name string) *engine.Error {
			return engine.Errorf(http.StatusNotFound, "", "Resource '%s' was not found", name)
		},
		Exists: func(_ *engine.Call, name string) *engine.Error {
			return engine.Errorf(http.StatusConflict, "", "Resource '%s' already exists", name)
		},
	}
}

func stampStandard(c *engine.Call, o Object) {
	api, schema := c.Method.API(), c.Schema()
	o["name"] = c.Name()
	for _, field := range []string{"createTime", "creationTime"} {
		if api.Has(schema, field) {
			o[field] = c.Time()
		}
	}
	for _, field := range []string{"uid", "uniqueId"} {
		if api.Has(schema, field) {
			o[field] = c.Serial()
		}
	}
	touchStandard(c, o)
}

func touchStandard(c *engine.Call, o Object) {
	api, schema := c.Method.API(), c.Schema()
	if api.Has(schema, "updateTime") {
		o["updateTime"] = c.Time()
	}
	if api.Has(schema, "etag") {
		delete(o, "etag")
		o["etag"] = fingerprint(o)
	}
}

// checkEtag is https://google.aip.dev/154.
func checkEtag(c *engine.Call, old Object) error {
	given := engine.Text(c.Body, "etag")
	if given == "" || given == engine.Text(old, "etag") {
		return nil
	}
	return &engine.Error{Code: http.StatusConflict, Status: "ABORTED", Message: "The etag does not match the resource's: it was changed meanwhile. Read it again."}
}

func longRunning(o *engine.Operation) Object {
	c := o.Call
	scope := ""
	if location := c.After("locations"); location != "" {
		scope = "projects/" + c.Project().ID + "/locations/" + location + "/"
		if pools := c.After("workloadIdentityPools"); pools != "" {
			scope += "workloadIdentityPools/" + pools + "/"
			if provider := c.After("providers"); provider != "" {
				scope += "providers/" + provider + "/"
			}
		}
	}
	_, target, _ := strings.Cut(o.Target, "/")
	result := Object{
		"name": scope + "operations/" + o.ID,
		"metadata": Object{
			"@type":      "type.googleapis.com/google.cloud." + c.Method.API().Name + "." + c.Method.API().Version + ".OperationMetadata",
			"createTime": stamp(o.Start), "target": target, "verb": c.Method.Verb(), "apiVersion": c.Method.API().Version,
		},
	}
	if !o.Done() {
		return result
	}
	result["done"] = true
	if o.Err != nil {
		result["error"] = Object{"code": canonical(o.Err), "message": o.Err.Message}
		return result
	}
	response := Object{}
	if o.Response != nil {
		response = engine.Clone(o.Response)
	}
	response["@type"] = "type.googleapis.com/google.cloud." + c.Method.API().Name + "." + c.Method.API().Version + "." + c.Schema()
	result["response"] = response
	return result
}

// canonical is the code of https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto.
func canonical(err *engine.Error) int {
	return map[int]int{
		http.StatusBadRequest: 3, http.StatusNotFound: 5, http.StatusConflict: 6, http.StatusForbidden: 7,
		http.StatusTooManyRequests: 8, http.StatusPreconditionFailed: 9, http.StatusInternalServerError: 13, http.StatusServiceUnavailable: 14,
		http.StatusUnauthorized: 16,
	}[err.Code]
}

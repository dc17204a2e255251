package gcplab

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

const buckets = "storage.buckets"

// newStorage is Cloud Storage's buckets: https://cloud.google.com/storage/docs/json_api/v1/buckets.
func newStorage(api *discovery.API) *engine.Service {
	service := newStandard(api)
	service.NotFound = func(_ *engine.Call, _ string) *engine.Error {
		return engine.Errorf(http.StatusNotFound, "notFound", "The specified bucket does not exist.")
	}
	service.Exists = func(_ *engine.Call, _ string) *engine.Error {
		return engine.Errorf(http.StatusConflict, "conflict", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	service.Check = nil
	service.Stamp = func(c *engine.Call, o Object) {
		name := engine.Text(o, "name")
		o["kind"], o["id"], o["selfLink"] = "storage#bucket", name, "https://www.googleapis.com/storage/v1/b/"+name
		project, _ := c.Cloud.Project(c.Query["project"])
		o["projectNumber"], o["timeCreated"], o["metageneration"] = project.Number, c.Time(), "0"
		service.Touch(c, o)
	}
	service.Touch = func(c *engine.Call, o Object) {
		o["updated"] = c.Time()
		o["metageneration"] = next(engine.Text(o, "metageneration"))
		delete(o, "etag")
		o["etag"] = fingerprint(o)
	}
	service.Kinds[buckets] = &engine.Kind{
		Immutable: []string{"name", "location", "customPlacementConfig"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"location": "US", "storageClass": "STANDARD", "iamConfiguration": Object{}, "rpo": "DEFAULT"})
			location := strings.ToUpper(engine.Text(o, "location"))
			o["location"] = location
			if location == "US" || location == "EU" || location == "ASIA" {
				o["locationType"] = "multi-region"
				if len(engine.Sub(o, "customPlacementConfig")) > 0 {
					o["locationType"] = "dual-region"
				}
			} else {
				o["locationType"] = "region"
				delete(o, "rpo")
			}
			access := engine.Sub(o, "iamConfiguration")
			engine.Default(access, Object{"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": Object{"enabled": false}})
			engine.Default(o, Object{"softDeletePolicy": Object{"retentionDurationSeconds": "604800"}})
		},
		Check: checkBucket,
		Delete: func(c *engine.Call, entry *engine.Entry) error {
			if len(c.Cloud.Entries("storage.objects", entry.Name+"/")) > 0 {
				return engine.Errorf(http.StatusConflict, "conflict", "The bucket you tried to delete is not empty.")
			}
			return nil
		},
	}
	service.Methods["storage.buckets.getStorageLayout"] = func(c *engine.Call) (any, error) {
		entry, err := c.Up(1).Target()
		if err != nil {
			return nil, err
		}
		return Object{"kind": "storage#storageLayout", "bucket": entry.Data["name"], "location": entry.Data["location"], "locationType": entry.Data["locationType"]}, nil
	}
	service.Methods["storage.objects.list"] = func(c *engine.Call) (any, error) {
		if _, err := c.Up(1).Target(); err != nil {
			return nil, err
		}
		return Object{"kind": "storage#objects"}, nil
	}
	return service
}

// checkBucket has the rules of https://cloud.google.com/storage/docs/buckets#naming and of the reference.
func checkBucket(c *engine.Call, old, o Object) error {
	name := engine.Text(o, "name")
	_, notAnAddress := netip.ParseAddr(name)
	valid := len(name) >= 3 && len(name) <= 63 && !strings.HasPrefix(name, "goog") && !strings.Contains(name, "google") &&
		strings.Trim(name, "-_.") == name && notAnAddress != nil
	for _, r := range name {
		valid = valid && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}
	if !valid {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid bucket name: '%s'", name)
	}
	if _, ok := c.Cloud.Project(c.Query["project"]); !ok && old == nil {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Unknown project id: %s", c.Query["project"])
	}
	if location := strings.ToLower(engine.Text(o, "location")); !isRegion(location) && location != "us" && location != "eu" && location != "asia" && location != "nam4" && location != "eur4" {
		return engine.Errorf(http.StatusBadRequest, "invalid", "The specified location constraint is not valid: %s", location)
	}
	if placement := engine.List(engine.Sub(o, "customPlacementConfig"), "dataLocations"); len(placement) > 0 && len(placement) != 2 {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Custom placement needs exactly two regions.")
	}
	key := engine.Text(engine.Sub(o, "encryption"), "defaultKmsKeyName")
	if key == "" {
		return nil
	}
	project, _ := c.Cloud.Project(c.Query["project"])
	if old != nil {
		project, _ = c.Cloud.Project(engine.Text(old, "projectNumber"))
	}
	full, _ := c.Resolve(key)
	if c.Cloud.Get(full) == nil {
		return engine.Errorf(http.StatusBadRequest, "invalid", "KMS key %s does not exist.", key)
	}
	if mayUseKey(c, key, "service-"+project.Number+"@gs-project-accounts.iam.gserviceaccount.com") != nil {
		return engine.Errorf(http.StatusForbidden, "forbidden", "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key.")
	}
	return nil
}

package gcplab

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// newKMS is Cloud KMS: https://cloud.google.com/kms/docs/reference/rest.
func newKMS(api *discovery.API) *engine.Service {
	service := newStandard(api)
	const keys = "cloudkms.projects.locations.keyRings.cryptoKeys"
	service.Methods["cloudkms.projects.locations.list"] = func(c *engine.Call) (any, error) {
		var items []any
		for _, name := range slices.Concat([]string{"global"}, slices.Sorted(maps.Keys(regions)), slices.Sorted(maps.Keys(multiRegions))) {
			items = append(items, Object{"name": c.Name() + "/" + name, "locationId": name})
		}
		return Object{"locations": items}, nil
	}
	service.Kinds["cloudkms.projects.locations.keyRings"] = &engine.Kind{
		Check: func(c *engine.Call, _, _ Object) error { return checkLocation(c) },
	}
	service.Kinds[keys] = &engine.Kind{
		Immutable: []string{"purpose", "destroyScheduledDuration", "importOnly", "cryptoKeyBackend"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"destroyScheduledDuration": "2592000s", "versionTemplate": Object{}})
			engine.Default(engine.Sub(o, "versionTemplate"), Object{"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"})
		},
		Check: checkKey,
		Created: func(c *engine.Call, o Object) {
			if c.Query["skipInitialVersionCreation"] != "true" {
				o["primary"] = engine.Clone(newKeyVersion(c, o, "1").Data)
			}
		},
	}
	service.Methods[keys+".cryptoKeyVersions.create"] = func(c *engine.Call) (any, error) {
		key, err := c.Parent(1)
		if err != nil {
			return nil, err
		}
		number := len(c.Cloud.Entries(keys+".cryptoKeyVersions", key.Name+"/")) + 1
		return newKeyVersion(c.Up(1), key.Data, strconv.Itoa(number)).Data, nil
	}
	service.Methods[keys+".cryptoKeyVersions.destroy"] = func(c *engine.Call) (any, error) {
		version, err := c.Target()
		if err != nil {
			return nil, err
		}
		if state := version.Data["state"]; state != "ENABLED" && state != "DISABLED" {
			return nil, engine.Preconditionf("%s is not enabled or disabled, current state is: %v.", c.Name(), state)
		}
		key := c.Cloud.Get(version.Name[:strings.Index(version.Name, "/cryptoKeyVersions/")])
		delay, err := time.ParseDuration(engine.Text(key.Data, "destroyScheduledDuration"))
		if err != nil {
			return nil, err
		}
		version.Data["state"] = "DESTROY_SCHEDULED"
		version.Data["destroyTime"] = stamp(c.Now().Add(delay))
		if primary := engine.Sub(key.Data, "primary"); primary["name"] == version.Data["name"] {
			key.Data["primary"] = engine.Clone(version.Data)
		}
		return engine.Clone(version.Data), nil
	}
	return service
}

func newKeyVersion(c *engine.Call, key Object, number string) *engine.Entry {
	template := engine.Sub(key, "versionTemplate")
	name := c.Name() + "/cryptoKeyVersions/" + number
	return c.Cloud.Put(c.Service.Host()+"/"+name, "cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions", Object{
		"name": name, "state": "ENABLED", "protectionLevel": template["protectionLevel"], "algorithm": template["algorithm"], "createTime": c.Time(), "generateTime": c.Time(),
	})
}

// checkKey has the rules of https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.
func checkKey(_ *engine.Call, _, o Object) error {
	if engine.Text(o, "purpose") == "" {
		return engine.Errorf(http.StatusBadRequest, "", "CryptoKey.purpose is required.")
	}
	period := engine.Text(o, "rotationPeriod")
	if period == "" {
		return nil
	}
	duration, err := time.ParseDuration(period)
	if err != nil || duration < 24*time.Hour || duration > 876_000*time.Hour {
		return engine.Errorf(http.StatusBadRequest, "", "CryptoKey.rotation_period must be at least 86400 seconds and at most 876000 hours, and was %s.", period)
	}
	if o["purpose"] != "ENCRYPT_DECRYPT" {
		return engine.Errorf(http.StatusBadRequest, "", "CryptoKey.rotation_period is only for keys with purpose ENCRYPT_DECRYPT.")
	}
	if engine.Text(o, "nextRotationTime") == "" {
		return engine.Errorf(http.StatusBadRequest, "", "CryptoKey.next_rotation_time must be set along with rotation_period.")
	}
	return nil
}

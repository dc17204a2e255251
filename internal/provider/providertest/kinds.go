package providertest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func kindOf(collection string) (synapse.Kind, bool) {
	for _, info := range synapse.Kinds() {
		if info.Collection == collection {
			return info.Kind, true
		}
	}
	return "", false
}

// complete fills in the spec's defaults and validates it, as synapsed does.
func complete(object *Object) *synapse.Problem {
	switch object.Kind {
	case synapse.KindRegion:
		return completeAs(object, &synapse.RegionSpec{})
	case synapse.KindTenant:
		return completeAs(object, &synapse.TenantSpec{})
	case synapse.KindService:
		return completeAs(object, &synapse.ServiceSpec{})
	case synapse.KindSLO:
		return completeAs(object, &synapse.SLOSpec{})
	case synapse.KindTrafficSplit:
		return completeAs(object, &synapse.TrafficSplitSpec{})
	case synapse.KindFailoverPolicy:
		return completeAs(object, &synapse.FailoverPolicySpec{})
	case synapse.KindDrill:
		return completeAs(object, &synapse.DrillSpec{})
	case synapse.KindDrillRun:
		return completeAs(object, &synapse.DrillRunSpec{})
	}
	return completeAs(object, &synapse.DeploymentSpec{})
}

func completeAs(object *Object, spec synapse.Spec) *synapse.Problem {
	encoded, err := json.Marshal(object.Spec)
	if err != nil {
		return &synapse.Problem{Status: http.StatusBadRequest, Title: err.Error(), Code: synapse.CodeInvalid}
	}
	if err := json.Unmarshal(encoded, spec); err != nil {
		return &synapse.Problem{Status: http.StatusBadRequest, Title: err.Error(), Code: synapse.CodeInvalid}
	}
	spec.SetDefaults()
	if errs := append(synapse.ValidateName("/name", object.Name), spec.Validate()...); len(errs) > 0 {
		return &synapse.Problem{Status: http.StatusUnprocessableEntity, Title: "the request is not valid", Code: synapse.CodeInvalid, Errors: errs}
	}
	if encoded, err = json.Marshal(spec); err == nil {
		object.Spec = nil
		err = json.Unmarshal(encoded, &object.Spec)
	}
	if err != nil {
		return &synapse.Problem{Status: http.StatusInternalServerError, Title: err.Error(), Code: synapse.CodeInternal}
	}
	return nil
}

// resolve finds the digest of a deployment's image, and the revision that follows, as synapsed does before it writes.
func (o *Object) resolve() {
	if o.Kind != synapse.KindServiceDeployment {
		return
	}
	var spec synapse.DeploymentSpec
	convert(o.Spec, &spec)
	status := maps.Clone(o.Status)
	if status == nil {
		status = map[string]any{}
	}
	_, digest, given := strings.Cut(spec.Image, "@")
	if !given {
		digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(spec.Image)))
	}
	status["image"], status["image_digest"], status["desired_revision"] = spec.Image, digest, spec.Revision(digest)
	o.Status = status
}

func sortedPaths(objects map[string]*Object, collection string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(objects)), func(path string) bool { return !strings.HasPrefix(path, collection) })
}

func hasLabels(labels map[string]string, selectors []string) bool {
	for _, selector := range selectors {
		key, value, _ := strings.Cut(selector, "=")
		if labels[key] != value {
			return false
		}
	}
	return true
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

package synapse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"time"
)

// OnFailure says what happens to a rollout that fails.
type OnFailure string

// What happens to a rollout that fails. In both cases the old revision goes on serving.
const (
	FailurePause    OnFailure = "pause"    // leave the new replicas as they are, for a look
	FailureRollback OnFailure = "rollback" // remove the new replicas
)

// DeploymentSpec is what is wanted of a deployment: one running version of its parent service.
type DeploymentSpec struct {
	Image         string                      `json:"image" doc:"OCI image reference. A tag is resolved to a digest once."`
	RequireDigest bool                        `json:"require_digest,omitempty" doc:"Refuse an image that is not given by digest."`
	Tenant        string                      `json:"tenant,omitempty" doc:"The one tenant that this deployment serves. Default: all tenants."`
	Regions       map[string]DeploymentRegion `json:"regions" doc:"Where it runs."`
	Env           map[string]string           `json:"env,omitempty" doc:"Environment variables in all regions."`
	Autoscaling   Autoscaling                 `json:"autoscaling,omitzero" doc:"When to run more than min_replicas."`
	Rollout       Rollout                     `json:"rollout,omitzero" doc:"How a change is rolled out."`
}

// DeploymentRegion is what is wanted of a deployment in one region.
type DeploymentRegion struct {
	MinReplicas int               `json:"min_replicas,omitempty" doc:"Replicas that always run. Default: 1."`
	MaxReplicas int               `json:"max_replicas,omitempty" doc:"Replicas that run at most. Default: min_replicas."`
	Env         map[string]string `json:"env,omitempty" doc:"Environment variables in this region, over the deployment's."`
}

// Autoscaling says when a deployment runs more than the minimum of replicas.
type Autoscaling struct {
	TargetInFlight int `json:"target_in_flight,omitempty" doc:"Requests in flight for each replica to aim at. Default: 32."`
}

// Rollout says how a change of a deployment is rolled out in each region.
type Rollout struct {
	MaxSurge         int       `json:"max_surge,omitempty" doc:"Replicas above the wanted number during a rollout. Default: 1."`
	MaxUnavailable   int       `json:"max_unavailable,omitempty" doc:"Replicas below the wanted number during a rollout. Default: 0."`
	ProgressDeadline Duration  `json:"progress_deadline,omitempty" doc:"How long a rollout may go without progress before it fails. Default: 5m."`
	MinReady         Duration  `json:"min_ready,omitempty" doc:"How long a new replica must stay healthy before it counts. Default: 0s."`
	OnFailure        OnFailure `json:"on_failure,omitempty" doc:"What a failed rollout does with the new replicas: rollback (remove) or pause (leave for a look). Default: rollback."`
}

// DeploymentStatus is what was seen of a deployment.
type DeploymentStatus struct {
	Status
	// Image is the reference that ImageDigest was resolved from.
	Image       string `json:"image,omitempty" doc:"Image reference that image_digest was resolved from."`
	ImageDigest string `json:"image_digest,omitempty" doc:"Digest of the image, sha256:...."`
	// ImageReference is the image by digest, as it is pulled.
	ImageReference string `json:"image_reference,omitempty" doc:"The image by digest, as it is pulled."`
	// DesiredRevision is the revision of the current spec; LiveRevision the last one that was rolled out completely.
	DesiredRevision string                            `json:"desired_revision,omitempty" doc:"Revision that the spec asks for."`
	LiveRevision    string                            `json:"live_revision,omitempty" doc:"Revision that was last rolled out completely."`
	Regions         map[string]DeploymentRegionStatus `json:"regions,omitempty" doc:"What was seen in each region."`
}

// DeploymentRegionStatus is what was seen of a deployment in one region.
type DeploymentRegionStatus struct {
	Revision string `json:"revision,omitempty" doc:"Revision that serves in the region."`
	Replicas int    `json:"replicas" doc:"Replicas that the region wants now."`
	Ready    int    `json:"ready" doc:"Replicas that serve."`
	Phase    Phase  `json:"phase" doc:"The region's status in one word."`
	Message  string `json:"message,omitempty" doc:"What the region waits for, or why it failed."`
}

// SetDefaults implements [Spec].
func (s *DeploymentSpec) SetDefaults() {
	regions := make(map[string]DeploymentRegion, len(s.Regions))
	for name, region := range s.Regions {
		setDefault(&region.MinReplicas, 1)
		setDefault(&region.MaxReplicas, region.MinReplicas)
		regions[name] = region
	}
	s.Regions = regions
	setDefault(&s.Autoscaling.TargetInFlight, 32)
	if s.Rollout.MaxUnavailable == 0 {
		setDefault(&s.Rollout.MaxSurge, 1)
	}
	setDefault(&s.Rollout.ProgressDeadline, "5m")
	setDefault(&s.Rollout.MinReady, "0s")
	setDefault(&s.Rollout.OnFailure, FailureRollback)
}

// digestPattern is the only digest algorithm that registries must support: OCI image specification, "Digests".
var digestPattern = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// Validate implements [Spec]. The image's syntax beyond emptiness is checked by whoever resolves it.
func (s *DeploymentSpec) Validate() []FieldError {
	errs := slices.Concat(
		s.validateImage(),
		validateEnv("/spec/env", s.Env),
		validateDuration("/spec/rollout/progress_deadline", s.Rollout.ProgressDeadline, time.Second, 24*time.Hour),
		validateDuration("/spec/rollout/min_ready", s.Rollout.MinReady, 0, time.Hour),
		validateOneOf("/spec/rollout/on_failure", s.Rollout.OnFailure, FailurePause, FailureRollback),
		validateCount("/spec/rollout/max_surge", s.Rollout.MaxSurge, 0, 100),
		validateCount("/spec/rollout/max_unavailable", s.Rollout.MaxUnavailable, 0, 100),
		validateCount("/spec/autoscaling/target_in_flight", s.Autoscaling.TargetInFlight, 1, 10_000),
	)
	if s.Tenant != "" {
		errs = append(errs, ValidateName("/spec/tenant", s.Tenant)...)
	}
	if len(s.Regions) == 0 {
		errs = append(errs, invalid("/spec/regions", "a deployment needs at least one region"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Regions)) {
		region, at := s.Regions[name], "/spec/regions/"+EscapePointer(name)
		errs = append(errs, ValidateName(at, name)...)
		errs = append(errs, validateCount(at+"/min_replicas", region.MinReplicas, 1, 100)...)
		errs = append(errs, validateCount(at+"/max_replicas", region.MaxReplicas, 1, 100)...)
		if region.MaxReplicas < region.MinReplicas {
			errs = append(errs, invalid(at+"/max_replicas", "%d is less than min_replicas (%d)", region.MaxReplicas, region.MinReplicas))
		}
		errs = append(errs, validateEnv(at+"/env", region.Env)...)
	}
	return errs
}

func (s *DeploymentSpec) validateImage() []FieldError {
	switch {
	case s.Image == "":
		return []FieldError{invalid("/spec/image", "an image reference is required, such as registry.example.com/auth:v1")}
	case len(s.Image) > 512:
		return []FieldError{invalid("/spec/image", "an image reference has at most 512 characters, not %d", len(s.Image))}
	case s.RequireDigest && !digestPattern.MatchString(s.Image):
		return []FieldError{invalid("/spec/image", "%q names a tag, and require_digest is set: write REPOSITORY@sha256:DIGEST", s.Image)}
	}
	return nil
}

func validateCount(pointer string, n, low, high int) []FieldError {
	if n < low || n > high {
		return []FieldError{invalid(pointer, "%d is out of range: it must be between %d and %d", n, low, high)}
	}
	return nil
}

// References implements [Spec]. The parent service is checked for every child kind alike.
func (s *DeploymentSpec) References() []Reference {
	var refs []Reference
	if s.Tenant != "" {
		refs = append(refs, Reference{"/spec/tenant", Key{Kind: KindTenant, Name: s.Tenant}})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Regions)) {
		refs = append(refs, Reference{"/spec/regions/" + EscapePointer(name), Key{Kind: KindRegion, Name: name}})
	}
	return refs
}

// Revision names what a deployment runs: it changes exactly when a replica must be replaced, that is with the image's
// digest, the environment, or the tenant served. Replica counts and rollout settings are no part of it.
func (s *DeploymentSpec) Revision(imageDigest string) string {
	type regionEnv map[string]string
	envs := make(map[string]regionEnv, len(s.Regions))
	for name, region := range s.Regions {
		if len(region.Env) > 0 {
			envs[name] = region.Env
		}
	}
	// Marshalling maps and strings cannot fail, and sorts keys.
	b, _ := json.Marshal([]any{imageDigest, s.Tenant, s.Env, envs})
	sum := sha256.Sum256(b)
	return "r" + hex.EncodeToString(sum[:4])
}

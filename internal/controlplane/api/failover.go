package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Failovers looks at what a failover would meet.
type Failovers interface {
	// Readiness says whether a failover of the policy to a region would work now; the region "" lets it choose.
	Readiness(ctx context.Context, policy synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus], to string) (synapse.FailoverReadiness, error)
}

type policyOutput = objectOutput[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]

type readinessOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         synapse.FailoverReadiness
}

// actionInput is the input of an action on an object.
type actionInput struct {
	Request
	DryRunParam
}

// registerFailover adds what users do to failover policies.
func (s *server) registerFailover() {
	readiness := s.operation(http.MethodGet, "/v1/failover-policies/{name}/readiness", "get-failover-readiness", "Look whether a failover would work now", synapse.RoleViewer, http.StatusOK)
	register(s, withPath(readiness, "name"), s.readiness)
	for _, action := range []struct{ name, summary string }{
		{"failover", "Move services and database to a standby region"},
		{"failback", "Move them back to the preferred region, without loss"},
		{"approve", "Approve the transition that awaits it"},
	} {
		op := s.operation(http.MethodPost, "/v1/failover-policies/{name}/"+action.name, action.name+"-failover-policy", action.summary, synapse.RoleOperator, http.StatusOK)
		op = withBody(withPath(op, "name"))
		register(s, op, func(ctx context.Context, in *actionInput) (*policyOutput, error) {
			return s.actOnPolicy(ctx, in, action.name)
		})
		describeBody[synapse.FailoverRequest](s, op, false)
	}
}

func (s *server) readiness(ctx context.Context, in *plainInput) (*readinessOutput, error) {
	key, err := s.policies.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	policy, err := s.policies.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	readiness, err := s.Failovers.Readiness(ctx, policy, "")
	if err != nil {
		return nil, err
	}
	return &readinessOutput{CacheControl: "no-store", Body: readiness}, nil
}

func (s *server) actOnPolicy(ctx context.Context, in *actionInput, action string) (*policyOutput, error) {
	key, err := s.policies.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	request, err := optionalBody[synapse.FailoverRequest](&in.Request)
	if err != nil {
		return nil, err
	}
	if errs := validateReason(request.Reason); errs != nil {
		return nil, object.InvalidFields(errs)
	}
	policy, err := s.policies.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if action != "approve" && !request.Force {
		to := request.To
		if action == "failback" {
			to = policy.Spec.Preferred
		}
		readiness, err := s.Failovers.Readiness(ctx, policy, to)
		if err != nil {
			return nil, err
		}
		if why := readiness.Why(); why != "" {
			return nil, object.Conflict("%s is not ready for a %s: %s. Mend that, or repeat the request with force if losing writes is the lesser evil", key, action, why)
		}
	}
	acted, err := object.ActOnPolicy(ctx, s.policies, key, action, request, in.caller(), in.DryRun)
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, acted), nil
}

// optionalBody decodes a body that may be left out.
func optionalBody[T any](r *Request) (T, error) {
	var value T
	body, err := r.body()
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return value, err
	}
	return object.NewDecoder[T]().Decode(body)
}

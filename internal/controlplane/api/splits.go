package api

import (
	"context"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type splitOutput = objectOutput[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// registerSplitActions adds what users do to a progression.
func (s *server) registerSplitActions() {
	for _, action := range []struct {
		event   synapse.SplitEventType
		summary string
	}{
		{synapse.SplitApprove, "Approve the step that awaits it"},
		{synapse.SplitResume, "Resume a paused progression"},
		{synapse.SplitRollback, "Route all traffic back to the stable backend, with force even if it is not ready"},
		{synapse.SplitPromote, "Route all traffic to the candidate as soon as it is ready, skipping the remaining steps, approvals, windows and waves"},
		{synapse.SplitRetry, "Allow a revision that was rolled back to start again"},
		{synapse.SplitFreeze, "Stop all changes of a split, including rollbacks"},
		{synapse.SplitUnfreeze, "Continue a frozen split"},
	} {
		op := s.operation(http.MethodPost, "/v1/traffic-splits/{name}/"+string(action.event), string(action.event)+"-traffic-split", action.summary, synapse.RoleOperator, http.StatusOK)
		op = withBody(withPath(op, "name"))
		register(s, op, func(ctx context.Context, in *actionInput) (*splitOutput, error) {
			return s.actOnSplit(ctx, in, action.event)
		})
		describeBody[synapse.SplitRequest](s, op, false)
	}
}

func (s *server) actOnSplit(ctx context.Context, in *actionInput, event synapse.SplitEventType) (*splitOutput, error) {
	key, err := s.splits.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	request, err := optionalBody[synapse.SplitRequest](&in.Request)
	if err != nil {
		return nil, err
	}
	if errs := validateSplitRequest(event, request); errs != nil {
		return nil, object.InvalidFields(errs)
	}
	acted, err := object.ActOnSplit(ctx, s.splits, key, event, request, object.SplitActionOptions{Caller: in.caller(), DryRun: in.DryRun})
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, acted), nil
}

func validateSplitRequest(event synapse.SplitEventType, request synapse.SplitRequest) []synapse.FieldError {
	errs := validateReason(request.Reason)
	if request.Force && event != synapse.SplitRollback {
		errs = append(errs, synapse.FieldError{Pointer: "/force", Code: synapse.CodeInvalid, Message: "applies to a rollback only: leave it out"})
	}
	if len(request.Revision) > synapse.MaxRevisionLength {
		errs = append(errs, synapse.FieldError{Pointer: "/revision", Code: synapse.CodeInvalid, Message: "is longer than any revision: give the one that the split's status names"})
	}
	return errs
}

// maxReason is the longest reason, in bytes: the history keeps it.
const maxReason = 500

func validateReason(reason string) []synapse.FieldError {
	if len(reason) <= maxReason {
		return nil
	}
	return []synapse.FieldError{{Pointer: "/reason", Code: synapse.CodeInvalid, Message: "is too long: say it in 500 bytes"}}
}

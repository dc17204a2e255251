package api

import (
	"context"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	drillOutput = objectOutput[synapse.DrillSpec, synapse.DrillStatus]
	runOutput   = objectOutput[synapse.DrillRunSpec, synapse.DrillRunStatus]
)

type reportOutput struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

type reportJSONOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         *synapse.DrillReport
}

// registerDrills adds what users do to drills and their runs.
func (s *server) registerDrills() {
	approve := withBody(withPath(s.operation(http.MethodPost, "/v1/dr-drills/{name}/approve", "approve-dr-drill", "Approve the definition of a drill", synapse.RoleOperator, http.StatusOK), "name"))
	register(s, approve, s.approveDrill)
	describeBody[synapse.DrillApprovalRequest](s, approve, true)

	abort := withBody(withPath(s.operation(http.MethodPost, "/v1/dr-drill-runs/{name}/abort", "abort-dr-drill-run", "End a run, and undo what it did", synapse.RoleOperator, http.StatusAccepted), "name"))
	register(s, abort, s.abortRun)
	describeBody[synapse.DrillAbortRequest](s, abort, false)

	report := withPath(s.operation(http.MethodGet, "/v1/dr-drill-runs/{name}/report", "get-dr-drill-report", "Read the report of a run", synapse.RoleViewer, http.StatusOK), "name")
	register(s, report, func(ctx context.Context, in *plainInput) (*reportJSONOutput, error) {
		found, err := s.report(ctx, in)
		return &reportJSONOutput{CacheControl: "no-store", Body: found}, err
	})
	markdown := withPath(s.operation(http.MethodGet, "/v1/dr-drill-runs/{name}/report.md", "get-dr-drill-report-markdown", "Read the report of a run, in Markdown", synapse.RoleViewer, http.StatusOK), "name")
	register(s, markdown, func(ctx context.Context, in *plainInput) (*reportOutput, error) {
		found, err := s.report(ctx, in)
		if err != nil {
			return nil, err
		}
		return &reportOutput{ContentType: "text/markdown; charset=utf-8", CacheControl: "no-store", Body: s.Reports(found)}, nil
	})
}

func (s *server) approveDrill(ctx context.Context, in *plainInput) (*drillOutput, error) {
	key, err := s.drills.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	request, err := optionalBody[synapse.DrillApprovalRequest](&in.Request)
	if err != nil {
		return nil, err
	}
	if errs := validateReason(request.Reason); errs != nil {
		return nil, object.InvalidFields(errs)
	}
	approved, err := object.ApproveDrill(ctx, s.drills, key, request, in.caller())
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, approved), nil
}

func (s *server) abortRun(ctx context.Context, in *plainInput) (*runOutput, error) {
	key, err := s.runs.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	request, err := optionalBody[synapse.DrillAbortRequest](&in.Request)
	if err != nil {
		return nil, err
	}
	if errs := validateReason(request.Reason); errs != nil {
		return nil, object.InvalidFields(errs)
	}
	aborted, err := object.AbortDrillRun(ctx, s.runs, key, request, in.caller())
	if err != nil {
		return nil, err
	}
	return answer(http.StatusAccepted, aborted), nil
}

func (s *server) report(ctx context.Context, in *plainInput) (*synapse.DrillReport, error) {
	key, err := s.runs.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	run, err := s.runs.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return object.ReportOf(&run)
}

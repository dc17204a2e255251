package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Budgets measures error budgets.
type Budgets interface {
	// ErrorBudget says how much of an SLO's error budget is left.
	ErrorBudget(ctx context.Context, slo synapse.Object[synapse.SLOSpec, synapse.SLOStatus]) (synapse.ErrorBudget, error)
}

type errorBudgetOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         synapse.ErrorBudget
}

// registerErrorBudget adds the live figures of SLOs, which are no part of the object: they change all the time.
func (s *server) registerErrorBudget() {
	op := s.operation(http.MethodGet, "/v1/slos/{name}/error-budget", "get-slo-error-budget", "Read how much of an SLO's error budget is left", synapse.RoleViewer, http.StatusOK)
	register(s, withPath(op, "name"), func(ctx context.Context, in *plainInput) (*errorBudgetOutput, error) {
		key, err := s.slos.Key("", in.param("name"))
		if err != nil {
			return nil, err
		}
		slo, err := s.slos.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		budget, err := s.Budgets.ErrorBudget(ctx, slo)
		if err != nil {
			s.Log.Warn("an error budget could not be measured", slog.String("request_id", infoOf(ctx).id), slog.String("slo", key.Name), slog.Any("error", err))
			detail := "the source of the metrics does not answer: try again; the server's log has details under this request ID"
			if setup, ok := errors.AsType[*measure.SourceError](err); ok {
				detail = setup.Message // it names no address
			}
			p := newProblem(http.StatusServiceUnavailable, "%s", detail)
			p.RetryAfterSeconds = 1
			return nil, p
		}
		return &errorBudgetOutput{CacheControl: "no-store", Body: budget}, nil
	})
}

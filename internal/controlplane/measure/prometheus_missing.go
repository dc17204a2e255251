package measure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SourceError is that a source of figures is not set up to have them. Waiting does not help, which is what tells it from
// [ErrNoData].
type SourceError struct{ Message string }

// Error implements error.
func (e *SourceError) Error() string { return e.Message }

// renamed is what Prometheus puts before a label of a scraped series when the scrape has a label of the same name, and honor_labels is
// false: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config.
const renamed = "exported_"

// scrapeHint says what a job must have. The guide "Moving traffic safely" has it whole.
const scrapeHint = "have it scrape /metrics of synapsed with honor_labels: true, and with a token of the role viewer"

// notRenamed are matchers for series whose labels are ours and not those of the scrape.
func notRenamed(labels ...string) string {
	matchers := make([]string, len(labels))
	for i, name := range labels {
		matchers[i] = renamed + name + `=""`
	}
	return strings.Join(matchers, ",")
}

// ownLabels are the labels of the gateways' metrics.
var ownLabels = []string{"region", "service", "deployment", "split", "backend", "status", "reason"}

// explainMissing says why the server has no series of a metric that a selector finds: it does not scrape synapsed at all, it hides our
// labels behind its own, or there is none of the backend or service yet.
func (p *Prometheus) explainMissing(ctx context.Context, metric, selector string, from, to time.Time) error {
	names, warnings, _, err := p.api.LabelNames(ctx, []string{metric}, from, to)
	if err := p.failure("the labels of "+metric, warnings, err); err != nil {
		return err
	}
	var hidden []string
	for _, name := range names {
		if own, found := strings.CutPrefix(string(name), renamed); found && slices.Contains(ownLabels, own) {
			hidden = append(hidden, own)
		}
	}
	if len(hidden) > 0 {
		return &SourceError{fmt.Sprintf("the Prometheus server hides the gateways' label %s behind one of the scrape's own: it calls ours %s%s; set honor_labels: true in the scrape job of synapsed",
			strings.Join(hidden, ", "), renamed, strings.Join(hidden, ", "+renamed))}
	}
	if len(names) > 0 {
		return fmt.Errorf("%w of %s{%s} at the Prometheus server, though it has others of the metric", ErrNoData, metric, selector)
	}
	scraped, warnings, _, err := p.api.LabelValues(ctx, "__name__", []string{`{__name__=~"synapse_.+"}`}, from, to)
	if err := p.failure("the metrics of synapsed", warnings, err); err != nil {
		return err
	}
	if len(scraped) == 0 {
		return &SourceError{"the Prometheus server has no metrics of synapsed since " + from.UTC().Format(time.RFC3339) + ": " + scrapeHint}
	}
	return fmt.Errorf("%w: the Prometheus server scrapes synapsed, but has no %s yet", ErrNoData, metric)
}

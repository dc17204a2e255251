package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Querier evaluates PromQL.
type Querier interface {
	// Query returns the one finite number that a query gives at a time, or an error that is [ErrNoData] when it gives none.
	Query(ctx context.Context, query string, at time.Time) (float64, error)
}

// queryValues are what the placeholders of a check's query stand for.
type queryValues struct {
	split, backend string
	regions        []string
	window         time.Duration
}

// fill replaces the placeholders. Names are of letters, digits and hyphens, which mean nothing in a regular expression.
func (v queryValues) fill(query string) string {
	return strings.NewReplacer(
		"{{split}}", v.split, "{{backend}}", v.backend,
		"{{regions}}", strings.Join(v.regions, "|"), "{{window}}", promDuration(v.window),
	).Replace(query)
}

// CheckQuery reports why a check's query could not be evaluated: where it does not parse, or gives no number.
func CheckQuery(query string) error {
	if strings.TrimSpace(query) == "" {
		return errors.New("the query is empty: write PromQL that gives one number")
	}
	// Each sample is as long as its placeholder, so that positions are those in the query as it was written.
	sample := strings.NewReplacer(
		"{{split}}", "sample000", "{{backend}}", "sample00000", "{{regions}}", "sample00000", "{{window}}", "000000060s",
	).Replace(query)
	if at := strings.Index(sample, "{{"); at >= 0 {
		return fmt.Errorf("the query has an unknown placeholder at %s: there are {{split}}, {{backend}}, {{regions}} and {{window}}", position(query, at))
	}
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(sample)
	if parseErrors, ok := errors.AsType[parser.ParseErrors](err); ok && len(parseErrors) > 0 {
		first := parseErrors[0]
		return fmt.Errorf("the query is not PromQL at %s: %w; correct it there", position(query, int(first.PositionRange.Start)), first.Err)
	}
	if err != nil {
		return fmt.Errorf("the query is not PromQL: %w; correct it", err)
	}
	switch expression.Type() {
	case parser.ValueTypeScalar, parser.ValueTypeVector:
		return nil
	case parser.ValueTypeMatrix:
		return errors.New("the query gives a range of values, not one number: put a function such as rate or increase around it")
	}
	return errors.New("the query gives text, not a number: write PromQL that gives one number")
}

// position is where byte offset is in text, for a reader.
func position(text string, offset int) string {
	before := text[:min(max(offset, 0), len(text))]
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}

package measure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// templateVariables are what Prometheus defines for templates: see
// https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#templating.
const templateVariables = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"

// CheckAlerting reports which labels and annotations of the user Prometheus would refuse as templates, each at its place.
func CheckAlerting(alerting synapse.SLOAlerting) []synapse.FieldError {
	var errs []synapse.FieldError
	for _, texts := range []struct {
		pointer string
		values  map[string]string
	}{
		{"/spec/alerting/page_labels", alerting.PageLabels},
		{"/spec/alerting/ticket_labels", alerting.TicketLabels},
		{"/spec/alerting/annotations", alerting.Annotations},
	} {
		for _, name := range slices.Sorted(maps.Keys(texts.values)) {
			if err := checkTemplate(name, texts.values[name]); err != nil {
				errs = append(errs, synapse.FieldError{
					Pointer: texts.pointer + "/" + synapse.EscapePointer(name), Code: synapse.CodeInvalid,
					Message: fmt.Sprintf("is not a template that Prometheus takes: %v. To have two braces as they are, write {{ \"{{\" }}", err),
				})
			}
		}
	}
	return errs
}

func checkTemplate(name, text string) error {
	data := template.AlertTemplateData(map[string]string{}, map[string]string{}, "", promql.Sample{})
	err := template.NewTemplateExpander(context.Background(), templateVariables+text, name, data, model.Time(0), nil, nil, nil).ParseTest()
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "error parsing template "))
}

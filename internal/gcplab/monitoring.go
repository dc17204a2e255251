package gcplab

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// newMonitoring is Cloud Monitoring: https://cloud.google.com/monitoring/api/ref_v3/rest, dashboards in v1.
func newMonitoring(apis ...*discovery.API) *engine.Service {
	service := newStandard(apis...)
	service.Kinds["monitoring.projects.alertPolicies"] = &engine.Kind{
		Default: func(c *engine.Call, o Object) {
			engine.Default(o, Object{"enabled": true})
			record := Object{"mutateTime": c.Time(), "mutatedBy": "gcplab"}
			engine.Default(o, Object{"creationRecord": record})
			o["mutationRecord"] = record
			for i, condition := range engine.Objects(o, "conditions") {
				engine.Default(condition, Object{"name": fmt.Sprintf("%s/conditions/%d", c.Name(), i)})
			}
		},
		Check: checkAlertPolicy,
	}
	service.Kinds["monitoring.projects.notificationChannels"] = &engine.Kind{
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"enabled": true})
			for name := range engine.Sub(o, "labels") {
				if name == "auth_token" || name == "password" || name == "service_key" {
					// As Google does, so that no secret can be read again.
					engine.Sub(o, "labels")[name] = "**********"
				}
			}
		},
		Check: func(_ *engine.Call, _, o Object) error {
			needs := map[string]string{"email": "email_address", "slack": "channel_name", "webhook_tokenauth": "url", "sms": "number", "pubsub": "topic", "pagerduty": ""}
			kind := engine.Text(o, "type")
			label, known := needs[kind]
			if !known {
				return engine.Errorf(http.StatusBadRequest, "", "Field notification_channel.type had an invalid value of %q: There is no channel descriptor of this type.", kind)
			}
			if label != "" && engine.Text(engine.Sub(o, "labels"), label) == "" {
				return engine.Errorf(http.StatusBadRequest, "", "Field notification_channel.labels[%q] is required for channels of type %q.", label, kind)
			}
			return nil
		},
	}
	service.Kinds["monitoring.projects.uptimeCheckConfigs"] = &engine.Kind{
		ID: func(c *engine.Call, o Object) (string, error) {
			return strings.ToLower(strings.ReplaceAll(engine.Text(o, "displayName"), " ", "-")) + "-" + c.Serial()[10:], nil
		},
		Immutable: []string{"monitoredResource.type"},
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"period": "60s", "timeout": "10s", "checkerType": "STATIC_IP_CHECKERS", "logCheckFailures": false})
			if check, ok := o["httpCheck"].(Object); ok {
				port := 80
				if check["useSsl"] == true {
					port = 443
				}
				engine.Default(check, Object{"path": "/", "port": port, "requestMethod": "GET"})
			}
		},
		Check: checkUptime,
	}
	service.Kinds["monitoring.projects.dashboards"] = &engine.Kind{
		ID: func(c *engine.Call, o Object) (string, error) {
			if name := engine.Text(o, "name"); name != "" {
				return last(name), nil
			}
			return c.Serial(), nil
		},
		Check: func(_ *engine.Call, _, o Object) error {
			layouts := 0
			for _, layout := range []string{"gridLayout", "mosaicLayout", "rowLayout", "columnLayout"} {
				if o[layout] != nil {
					layouts++
				}
			}
			if engine.Text(o, "displayName") == "" {
				return engine.Errorf(http.StatusBadRequest, "", "Field dashboard.displayName must not be empty.")
			}
			if layouts != 1 {
				return engine.Errorf(http.StatusBadRequest, "", "A dashboard must have exactly one layout.")
			}
			return nil
		},
	}
	return service
}

// checkAlertPolicy has the rules of https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies.
func checkAlertPolicy(c *engine.Call, _, o Object) error {
	if engine.Text(o, "displayName") == "" {
		return engine.Errorf(http.StatusBadRequest, "", "Field alert_policy.display_name had an invalid value: must not be empty.")
	}
	conditions := engine.Objects(o, "conditions")
	if len(conditions) == 0 || len(conditions) > 6 {
		return engine.Errorf(http.StatusBadRequest, "", "Field alert_policy.conditions had an invalid value: a policy has from 1 to 6 conditions, and this one %d.", len(conditions))
	}
	if engine.Text(o, "combiner") == "" {
		return engine.Errorf(http.StatusBadRequest, "", "Field alert_policy.combiner had an invalid value: must be specified.")
	}
	for i, condition := range conditions {
		query, ok := condition["conditionPrometheusQueryLanguage"].(Object)
		if !ok {
			continue
		}
		if len(conditions) > 1 {
			return engine.Errorf(http.StatusBadRequest, "", "Field alert_policy.conditions had an invalid value: a policy with a PromQL condition can have only one condition.")
		}
		if strings.TrimSpace(engine.Text(query, "query")) == "" {
			return engine.Errorf(http.StatusBadRequest, "", "Field alert_policy.conditions[%d].condition_prometheus_query_language.query had an invalid value: must not be empty.", i)
		}
		if text := engine.Text(query, "evaluationInterval"); text != "" {
			if interval, err := time.ParseDuration(text); err != nil || interval <= 0 || interval%(30*time.Second) != 0 {
				return engine.Errorf(http.StatusBadRequest, "", "Field alert_policy.conditions[%d].condition_prometheus_query_language.evaluation_interval had an invalid value of %q: must be a positive multiple of 30 seconds.", i, text)
			}
		}
	}
	return nil
}

// checkUptime has the rules of https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.uptimeCheckConfigs.
func checkUptime(_ *engine.Call, _, o Object) error {
	switch engine.Text(o, "period") {
	case "60s", "300s", "600s", "900s":
	default:
		return engine.Errorf(http.StatusBadRequest, "", "Field uptime_check_config.period had an invalid value of %q: must be 60s, 300s, 600s or 900s.", o["period"])
	}
	if timeout, err := time.ParseDuration(engine.Text(o, "timeout")); err != nil || timeout < time.Second || timeout > time.Minute {
		return engine.Errorf(http.StatusBadRequest, "", "Field uptime_check_config.timeout had an invalid value of %q: must be from 1s to 60s.", o["timeout"])
	}
	if regions := engine.List(o, "selectedRegions"); len(regions) > 0 && len(regions) < 3 {
		return engine.Errorf(http.StatusBadRequest, "", "Field uptime_check_config.selected_regions had an invalid value: at least 3 locations must be selected.")
	}
	return nil
}

package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
)

func TestBadInputIsFoundWithoutAServer(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	text, number := providertest.Text, providertest.Number
	nested := func(typeName, attribute string, a providertest.Attributes) providertest.Attributes {
		return providertest.Attributes{attribute: h.Nested(typeName, attribute, a)}
	}
	for name, test := range map[string]struct {
		typeName string
		change   providertest.Attributes
		at, says string
	}{
		"a name with capitals":        {tenantType, providertest.Attributes{"name": text("Acme")}, `AttributeName("name")`, "lower-case"},
		"an unknown tier":             {tenantType, providertest.Attributes{"tier": text("gold")}, `AttributeName("tier")`, "not one of free"},
		"a CIDR with host bits":       {tenantType, providertest.Attributes{"allowed_cidrs": providertest.TextSet("10.0.0.1/8")}, `AttributeName("allowed_cidrs")`, "write 10.0.0.0/8"},
		"a home that is not allowed":  {tenantType, providertest.Attributes{"home_region": text("us"), "allowed_regions": providertest.TextSet("eu")}, `AttributeName("home_region")`, "allowed_regions"},
		"a burst without a rate":      {tenantType, nested(tenantType, "quotas", providertest.Attributes{"burst": number(5)}), `AttributeName("quotas").AttributeName("burst")`, "requests_per_second"},
		"a negative rate":             {tenantType, nested(tenantType, "quotas", providertest.Attributes{"requests_per_second": number(-1)}), `AttributeName("quotas").AttributeName("requests_per_second")`, "out of range"},
		"a period that is too long":   {tenantType, nested(tenantType, "offboarding", providertest.Attributes{"grace_period": text("99999h")}), `AttributeName("offboarding").AttributeName("grace_period")`, "out of range"},
		"a label with a space":        {tenantType, providertest.Attributes{"labels": providertest.Texts(map[string]string{"a b": "c"})}, `AttributeName("labels").ElementKeyString("a b")`, "abel key"},
		"a runtime there is not":      {regionType, providertest.Attributes{"runtime": text("mars")}, `AttributeName("runtime")`, "not one of"},
		"one port twice":              {regionType, nested(regionType, "local", providertest.Attributes{"gateway_port": number(5000), "database_port": number(5000)}), `AttributeName("local").AttributeName("database_port")`, "gateway's port"},
		"a path without a slash":      {serviceType, providertest.Attributes{"health_path": text("healthz")}, `AttributeName("health_path")`, "absolute path"},
		"a protocol there is not":     {serviceType, providertest.Attributes{"protocol": text("http2")}, `AttributeName("protocol")`, "not one of http, h2c, grpc"},
		"a port for root":             {serviceType, providertest.Attributes{"port": number(80)}, `AttributeName("port")`, "between 1024"},
		"a tag where digests are due": {deploymentType, providertest.Attributes{"require_digest": providertest.Flag(true)}, `AttributeName("image")`, "sha256"},
		"no region":                   {deploymentType, providertest.Attributes{"regions": h.NestedMap(deploymentType, "regions", nil)}, `AttributeName("regions")`, "at least one region"},
		"a service with a bad name":   {deploymentType, providertest.Attributes{"service": text("-")}, `AttributeName("service")`, "lower-case"},
		"more at least than at most": {deploymentType, providertest.Attributes{"regions": h.NestedMap(deploymentType, "regions", map[string]providertest.Attributes{"eu": {"min_replicas": number(3), "max_replicas": number(2)}})},
			`AttributeName("regions").ElementKeyString("eu").AttributeName("max_replicas")`, "less than min_replicas"},
		"a variable of the platform": {deploymentType, providertest.Attributes{"env": providertest.Texts(map[string]string{"PORT": "1"})}, `AttributeName("env").ElementKeyString("PORT")`, "set by the platform"},
		"an unknown way to wait":     {deploymentType, providertest.Attributes{"wait_for": text("never")}, `AttributeName("wait_for")`, "accepted"},
		"a label that is null": {tenantType, providertest.Attributes{"labels": tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, map[string]tftypes.Value{"a": tftypes.NewValue(tftypes.String, nil)})},
			`AttributeName("labels")`, "null"},
		"an objective beyond all":           {sloType, providertest.Attributes{"objective": number(100)}, `AttributeName("objective")`, "between 50 and 99.999"},
		"a ratio with a threshold":          {sloType, providertest.Attributes{"threshold": text("1s")}, `AttributeName("threshold")`, "has no threshold"},
		"a latency without a threshold":     {sloType, providertest.Attributes{"sli": text("latency")}, `AttributeName("threshold")`, "required with the sli latency"},
		"a threshold between two bounds":    {sloType, providertest.Attributes{"sli": text("latency"), "threshold": text("300ms")}, `AttributeName("threshold")`, "not a bound"},
		"a label that Prometheus refuses":   {sloType, nested(sloType, "alerting", providertest.Attributes{"page_labels": providertest.Texts(map[string]string{"a-b": "c"})}), `AttributeName("alerting").AttributeName("page_labels").ElementKeyString("a-b")`, "Prometheus label"},
		"no labels instead of the defaults": {sloType, nested(sloType, "alerting", providertest.Attributes{"page_labels": providertest.Texts(nil)}), `AttributeName("alerting").AttributeName("page_labels")`, "at least 1"},
		"a timeout that is no duration":     {tenantType, nested(tenantType, "timeouts", providertest.Attributes{"create": text("soon")}), `AttributeName("timeouts").AttributeName("create")`, "2h45m"},
	} {
		t.Run(name, func(t *testing.T) {
			config := minimal(h)[test.typeName]
			for attribute, value := range test.change {
				config[attribute] = value
			}
			d := one(t, h.Validate(test.typeName, config))
			require.Equal(t, test.at, d.Attribute.String())
			require.Contains(t, d.Detail, test.says)
		})
	}
	require.Empty(t, server.Requests())
}

// TestAnEmptyTextIsRefused has a text of every shape that the API takes for its default when it is empty: it would come back as
// another value than the configuration's.
func TestAnEmptyTextIsRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	const span = "write a number with a unit, such as 30s, 5m or 720h"
	for _, test := range []struct{ typeName, attribute, name, says string }{
		{serviceType, "request_timeouts", "connect", span},
		{serviceType, "request_timeouts", "response", span},
		{serviceType, "request_timeouts", "idle", span},
		{serviceType, "request_timeouts", "abandoned_after", span},
		{splitType, "request_timeouts", "connect", span},
		{splitType, "request_timeouts", "response", span},
		{splitType, "request_timeouts", "idle", span},
		{splitType, "request_timeouts", "abandoned_after", span},
		{tenantType, "offboarding", "grace_period", span},
		{deploymentType, "rollout", "progress_deadline", span},
		{policyType, "objectives", "rpo", span},
		{sloType, "window", "", span},
		{sloType, "threshold", "", span},
		{serviceType, "owner", "", "not be empty: leave the attribute out for its default"},
		{splitType, "route", "host", "not be empty: leave the attribute out for its default"},
		{tenantType, "home_region", "", "not be empty: leave the attribute out for its default"},
	} {
		at := `AttributeName("` + test.attribute + `")`
		value := providertest.Text("")
		if test.name != "" {
			at += `.AttributeName("` + test.name + `")`
			value = h.Nested(test.typeName, test.attribute, providertest.Attributes{test.name: value})
		}
		t.Run(test.typeName+" "+at, func(t *testing.T) {
			config := minimal(h)[test.typeName]
			config[test.attribute] = value
			for _, d := range h.Validate(test.typeName, config) {
				if d.Attribute.String() == at {
					require.Contains(t, d.Detail, test.says)
					return
				}
			}
			t.Error("it is accepted")
		})
	}
}

func TestValidationLeavesOutWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	for typeName, config := range minimal(h) {
		requireNone(t, h.Validate(typeName, config))
		unknown := providertest.Attributes{}
		for name, value := range config {
			unknown[name] = tftypes.NewValue(value.Type(), tftypes.UnknownValue)
		}
		requireNone(t, h.Validate(typeName, unknown))
	}
	config := minimal(h)[tenantType]
	config["name"], config["tier"] = providertest.Unknown(), providertest.Text("gold")
	require.Equal(t, `AttributeName("tier")`, one(t, h.Validate(tenantType, config)).Attribute.String(), "what is known is checked")
}

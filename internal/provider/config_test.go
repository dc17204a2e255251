package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
)

// configure validates and configures a fresh provider and returns what it complains about.
func configure(t *testing.T, environment map[string]string, config providertest.Attributes, deferral bool) []*tfprotov6.Diagnostic {
	t.Helper()
	p := provider.New("test", func(name string) string { return environment[name] })
	server, err := providerserver.NewProtocol6WithError(p)()
	require.NoError(t, err)
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	require.NoError(t, err)
	objectType := schema.Provider.ValueType().(tftypes.Object)
	values := providertest.Attributes{}
	for name, attributeType := range objectType.AttributeTypes {
		values[name] = tftypes.NewValue(attributeType, nil)
		if value, ok := config[name]; ok {
			values[name] = value
		}
	}
	packed, err := tfprotov6.NewDynamicValue(objectType, tftypes.NewValue(objectType, values))
	require.NoError(t, err)
	validated, err := server.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: &packed})
	require.NoError(t, err)
	if len(validated.Diagnostics) > 0 {
		return validated.Diagnostics
	}
	resp, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &packed,
		ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: deferral}})
	require.NoError(t, err)
	return resp.Diagnostics
}

func TestBadProviderConfiguration(t *testing.T) {
	t.Parallel()
	text := providertest.Text
	for name, test := range map[string]struct {
		environment map[string]string
		config      providertest.Attributes
		at, says    string
	}{
		"an endpoint that is no URL":           {nil, providertest.Attributes{"endpoint": text("synapse")}, `AttributeName("endpoint")`, "not a base URL"},
		"plain http to another machine":        {nil, providertest.Attributes{"endpoint": text("http://synapse.example.com")}, `AttributeName("endpoint")`, "in the clear"},
		"a password in the endpoint":           {nil, providertest.Attributes{"endpoint": text("https://me:hunter2@synapse.example.com")}, `AttributeName("endpoint")`, "user name or password"},
		"an endpoint of the environment":       {map[string]string{"SYNAPSE_ENDPOINT": "ftp://x"}, nil, `AttributeName("endpoint")`, "SYNAPSE_ENDPOINT"},
		"a label with a space":                 {nil, providertest.Attributes{"default_labels": providertest.Texts(map[string]string{"a b": "c"})}, `AttributeName("default_labels").ElementKeyString("a b")`, "abel key"},
		"labels of the environment without =":  {map[string]string{"SYNAPSE_DEFAULT_LABELS": "team"}, nil, `AttributeName("default_labels")`, "key=value"},
		"a negative number of retries":         {nil, providertest.Attributes{"max_retries": providertest.Number(-1)}, `AttributeName("max_retries")`, "between 0"},
		"a rate of the environment":            {map[string]string{"SYNAPSE_REQUESTS_PER_SECOND": "fast"}, nil, `AttributeName("requests_per_second")`, "SYNAPSE_REQUESTS_PER_SECOND"},
		"half a retry":                         {map[string]string{"SYNAPSE_MAX_RETRIES": "1.5"}, nil, `AttributeName("max_retries")`, "whole number"},
		"a token that ends with a line break":  {nil, providertest.Attributes{"token": text("secret\n")}, ``, "line break"},
		"an authority that is neither":         {nil, providertest.Attributes{"ca_certificate": text("/nonexistent/ca.pem")}, ``, "PEM"},
		"an authority without a certificate":   {nil, providertest.Attributes{"ca_certificate": text("-----BEGIN NOTHING-----")}, ``, "holds no certificate"},
		"an endpoint that is not known yet":    {nil, providertest.Attributes{"endpoint": providertest.Unknown()}, `AttributeName("endpoint")`, "-target"},
		"a label whose value is not known yet": {nil, providertest.Attributes{"default_labels": tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, map[string]tftypes.Value{"a": providertest.Unknown()})}, `AttributeName("default_labels")`, "-target"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diagnostics := configure(t, test.environment, test.config, false)
			d := one(t, diagnostics)
			require.Equal(t, test.at, d.Attribute.String())
			require.Contains(t, d.Detail, test.says)
			require.NotContains(t, d.Summary+d.Detail, "hunter2")
			require.NotContains(t, d.Summary+d.Detail, "secret")
		})
	}
}

func TestGoodProviderConfiguration(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment map[string]string
		config      providertest.Attributes
	}{
		"nothing at all, and no server": {},
		"everything in the environment": {environment: map[string]string{
			"SYNAPSE_ENDPOINT": "https://synapse.example.com/base/", "SYNAPSE_TOKEN": "t", "SYNAPSE_MAX_RETRIES": "0",
			"SYNAPSE_REQUESTS_PER_SECOND": "2.5", "SYNAPSE_DEFAULT_LABELS": "team=a, env=b,",
		}},
		"a configuration before a bad environment": {
			environment: map[string]string{"SYNAPSE_ENDPOINT": "nonsense"},
			config:      providertest.Attributes{"endpoint": providertest.Text("http://[::1]:7700")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diagnostics := configure(t, test.environment, test.config, false)
			requireNone(t, diagnostics)
		})
	}
}

func TestAConfigurationThatIsNotKnownYetIsDeferredWhereThatIsPossible(t *testing.T) {
	t.Parallel()
	diagnostics := configure(t, nil, providertest.Attributes{"endpoint": providertest.Unknown()}, true)
	requireNone(t, diagnostics)
}

func TestLabelsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	labels, err := provider.ParseLabels(" team = a ,env=b=c,, empty= ")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "a", "env": "b=c", "empty": ""}, labels)
	for _, bad := range []string{"team", "=a", "a=1,a=2"} {
		_, err := provider.ParseLabels(bad)
		require.Error(t, err, bad)
	}
}

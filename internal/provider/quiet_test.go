package provider_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
)

func TestLogsThatNobodyAskedForAreOff(t *testing.T) {
	t.Parallel()
	off := map[string]string{"TF_LOG_SDK": "off", "TF_LOG_SDK_PROTO": "off", "TF_LOG_SDK_FRAMEWORK": "off", "TF_LOG_PROVIDER_SYNAPSE": "off"}
	for name, test := range map[string]struct{ before, after map[string]string }{
		"when nothing is set":               {map[string]string{}, off},
		"but not when Terraform logs":       {map[string]string{"TF_LOG": "debug"}, map[string]string{"TF_LOG": "debug"}},
		"but not when it logs of providers": {map[string]string{"TF_LOG_PROVIDER": "info"}, map[string]string{"TF_LOG_PROVIDER": "info"}},
		"except what was set by itself": {map[string]string{"TF_LOG_SDK": "warn"},
			map[string]string{"TF_LOG_SDK": "warn", "TF_LOG_SDK_PROTO": "off", "TF_LOG_SDK_FRAMEWORK": "off", "TF_LOG_PROVIDER_SYNAPSE": "off"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environment := test.before
			err := provider.QuietUnlessAsked(func(name string) string { return environment[name] },
				func(name, value string) error { environment[name] = value; return nil })
			require.NoError(t, err)
			require.Equal(t, test.after, environment)
		})
	}
}

package main

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
)

func TestTheCommandLineReachesAPrometheusServer(t *testing.T) {
	t.Parallel()
	var flags prometheusFlags
	parser, err := kong.New(&flags)
	require.NoError(t, err)
	_, err = parser.Parse([]string{
		"--prometheus-url=https://mimir.example.com/prometheus", "--prometheus-username=synapse", "--prometheus-password-file=/run/password",
		"--prometheus-ca-file=/etc/ca.pem", "--prometheus-header=X-Scope-OrgID=team-a,team-b", "--prometheus-header=X-Other=a=b",
		"--prometheus-header-file=X-Api-Key=/run/key",
	})
	require.NoError(t, err)
	options, err := flags.source()
	require.NoError(t, err)
	require.Equal(t, measure.PrometheusOptions{
		URL: "https://mimir.example.com/prometheus", Username: "synapse", PasswordFile: "/run/password", CAFile: "/etc/ca.pem",
		Headers:     map[string]string{"X-Scope-OrgID": "team-a,team-b", "X-Other": "a=b"},
		HeaderFiles: map[string]string{"X-Api-Key": "/run/key"},
	}, options)
}

func TestAHeaderOnTheCommandLineHasANameAndAValue(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string]prometheusFlags{
		"no value": {PrometheusHeader: []string{"hunter2"}}, "no name": {PrometheusHeader: []string{"=hunter2"}},
		"no file": {PrometheusHeaderFile: []string{"hunter2"}}, "twice": {PrometheusHeader: []string{"A=hunter2", "A=hunter2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := flags.source()
			require.ErrorContains(t, err, "--prometheus-header")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

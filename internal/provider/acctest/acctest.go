// Package acctest is what the acceptance tests of all kinds share: the provider in this process, talking to a real
// control plane.
package acctest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// Run runs a test case against a daemon. It needs no configuration of the provider: what would come from the
// environment comes from the daemon.
func Run(t *testing.T, daemon *synapsedtest.Daemon, test resource.TestCase) {
	t.Helper()
	test.IsUnitTest = true      // the control plane is real, and costs nothing
	for i := range test.Steps { // with the step and not with the case, so that a step may configure the provider
		test.Steps[i].ProtoV6ProviderFactories = factories(daemon)
	}
	resource.Test(t, test)
}

// factories returns the provider for a daemon, and one that keeps ephemeral values where a test can see them.
func factories(daemon *synapsedtest.Daemon) map[string]func() (tfprotov6.ProviderServer, error) {
	environment := map[string]string{"SYNAPSE_ENDPOINT": daemon.Endpoint, "SYNAPSE_TOKEN": daemon.Token}
	return map[string]func() (tfprotov6.ProviderServer, error){
		"synapse": provider.New("test", func(name string) string { return environment[name] }).Server,
		"echo":    echoprovider.NewProviderServer(),
	}
}

// Says matches an error message, in capitals or not, that the CLI has wrapped into lines and framed.
func Says(words string) *regexp.Regexp {
	var parts []string
	for word := range strings.FieldsSeq(words) {
		parts = append(parts, regexp.QuoteMeta(word))
	}
	return regexp.MustCompile(`(?i)` + strings.Join(parts, `[\s│╷╵]+`))
}

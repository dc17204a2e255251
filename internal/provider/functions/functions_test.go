package functions_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// run evaluates an expression with the CLI, which knows functions of providers since 1.8.
func run(t *testing.T, step resource.TestStep, expression string) {
	t.Helper()
	const head = "terraform {\n  required_providers {\n    synapse = { source = \"hashicorp/synapse\" }\n  }\n}\n"
	step.Config = head + "output \"test\" {\n  value = " + expression + "\n}\n"
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks: []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_8_0)},
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"synapse": provider.New("test", func(string) string { return "" }).Server,
		},
		Steps: []resource.TestStep{step},
	})
}

func TestFunctionsReturnWhatTheGatewaysCompute(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]knownvalue.Check{
		`provider::synapse::cohort("salt", "acme")`: knownvalue.Int64Exact(int64(synapse.Cohort("salt", "acme"))),
		`provider::synapse::cohort("", "")`:         knownvalue.Int64Exact(int64(synapse.Cohort("", ""))),
		`provider::synapse::apportion(100, { eu = 1, us = 1, asia = 1 })`: knownvalue.MapExact(map[string]knownvalue.Check{
			"asia": knownvalue.Int64Exact(34), "eu": knownvalue.Int64Exact(33), "us": knownvalue.Int64Exact(33),
		}),
		`sum(values(provider::synapse::apportion(100, { a = 0.123, b = 17, c = 3.5, d = 0 })))`: knownvalue.Int64Exact(100),
		`provider::synapse::apportion(3, { a = 0, b = 0 })`: knownvalue.MapExact(map[string]knownvalue.Check{
			"a": knownvalue.Int64Exact(2), "b": knownvalue.Int64Exact(1),
		}),
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			run(t, resource.TestStep{ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("test", want)}}, expression)
		})
	}
}

func TestBadArgumentsAreErrorsAtTheArgument(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]struct{ argument, says string }{
		`provider::synapse::apportion(-1, { a = 1 })`:             {"total", "between 0 and"},
		`provider::synapse::apportion(1.5, { a = 1 })`:            {"total", "whole number"},
		`provider::synapse::apportion(100, {})`:                   {"shares", "There are no shares"},
		`provider::synapse::apportion(100, { a = 1, b = -2 })`:    {"shares", `share of "b"`},
		`provider::synapse::apportion(100, { a = 1, b = 1e300 })`: {"shares", `share of "b"`},
		`provider::synapse::apportion(100, { a = null, b = 1 })`:  {"shares", `share of "a"`},
		`provider::synapse::cohort(null, "acme")`:                 {"salt", "must not be null"},
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			pattern := fmt.Sprintf(`(?s)Invalid value for "%s" parameter.*%s`, want.argument, strings.ReplaceAll(regexp.QuoteMeta(want.says), " ", `\s+`))
			run(t, resource.TestStep{ExpectError: regexp.MustCompile(pattern)}, expression)
		})
	}
}

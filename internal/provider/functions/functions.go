// Package functions holds the functions of the provider. They compute what the gateways and the control plane compute, and
// need no server.
package functions

import "github.com/hashicorp/terraform-plugin-framework/function"

// All returns the constructors of all functions.
func All() []func() function.Function {
	return []func() function.Function{newCohort, newApportion}
}

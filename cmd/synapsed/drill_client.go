package main

import (
	"context"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
)

type drillClientCommand struct {
	Spec string `help:"File that says what to send, see client.Spec." required:"" type:"existingfile"`
}

// Run measures a drill until the spec's time is over or ctx ends. The spec stays for whoever reads what was seen.
func (c drillClientCommand) Run(ctx context.Context) error {
	spec, err := client.ReadSpec(c.Spec)
	if err != nil {
		return err
	}
	return client.Run(ctx, spec)
}

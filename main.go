// Command terraform-provider-synapse is the Terraform provider for Synapse. Terraform starts it.
package main

import (
	"flag"
	"log"
	"os"
	"runtime/debug"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	synapse "github.com/apex-innovations/terraform-provider-synapse/internal/provider"
)

// version is set by the linker when a release is built.
var version = "dev"

// gcPercent lets the heap grow to five times what is in use before garbage is collected. The plugin framework makes
// much short-lived garbage on a heap of a few megabytes: with Go's default a quarter of a plan's time is collecting it.
const gcPercent = 400

func main() {
	attach := flag.Bool("debug", false, "wait for a debugger, and print how to attach Terraform to this process")
	flag.Parse()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := synapse.QuietUnlessAsked(os.Getenv, os.Setenv); err != nil {
		log.Fatalf("setting the log level: %v", err)
	}
	server, err := synapse.New(version, os.Getenv).Server()
	if err != nil {
		log.Fatalf("making the provider: %v", err)
	}
	var options []tf6server.ServeOpt
	if *attach {
		options = append(options, tf6server.WithManagedDebug())
	}
	if err := tf6server.Serve(synapse.Address, func() tfprotov6.ProviderServer { return server }, options...); err != nil {
		log.Fatalf("serving the provider: %v", err)
	}
}

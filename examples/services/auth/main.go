// Command auth is the login service that was extracted from the monolith. It serves the same API on the same tables.
package main

import (
	"os"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/login"
)

// version is set by the linker: -ldflags "-X main.version=v1".
var version = "dev"

func main() {
	os.Exit(app.Main(app.Service{
		Name: "auth", Version: version, Tables: login.Tables(),
		Routes: login.Serve,
	}, os.Getenv, os.Stderr))
}

// Command monolith is Synapse as it began: orders, inventory, routes and login in one process.
package main

import (
	"os"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/login"
)

// version is set by the linker: -ldflags "-X main.version=v1".
var version = "dev"

func main() {
	os.Exit(app.Main(app.Service{
		Name: "monolith", Version: version, Tables: tables(),
		Routes: routes,
	}, os.Getenv, os.Stderr))
}

func tables() []app.Table {
	return slices.Concat([]app.Table{inventoryTable(), ordersTable(), legsTable()}, login.Tables())
}

func routes(s *app.Server, db *app.Databases, config app.Config) error {
	serveInventory(s, db)
	serveOrders(s, db)
	serveRoutes(s, db)
	return login.Serve(s, db, config)
}

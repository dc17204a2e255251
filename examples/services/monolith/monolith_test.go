package main

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/apptest"
)

func TestMonolith(t *testing.T) {
	t.Parallel()
	platform := apptest.Start(t)
	db := platform.Databases(t, tables())
	service := app.NewServer(app.Config{Service: "monolith"}, db, slog.New(slog.DiscardHandler))
	require.NoError(t, routes(service, db, app.Config{}))

	type step struct {
		name, method, path, body string
		status                   int
		answer                   string // part of it
	}
	steps := []step{
		{"an empty list is a list", "GET", "/orders", "", 200, `{"items":[]}`},
		{"goods arrive", "POST", "/inventory", `{"sku": "pallet", "quantity": 5}`, 200, `"quantity":5`},
		{"more goods add up", "POST", "/inventory", `{"sku": "pallet", "quantity": 3}`, 200, `"quantity":8`},
		{"an order takes goods", "POST", "/orders", `{"sku": "pallet", "quantity": 6}`, 201, `"sku":"pallet","quantity":6`},
		{"what is left is listed", "GET", "/inventory", "", 200, `{"items":[{"sku":"pallet","quantity":2}]}`},
		{"an order of more than there is fails", "POST", "/orders", `{"sku": "pallet", "quantity": 3}`, 409, "2 of pallet are in stock, not 3"},
		{"and leaves the inventory alone", "GET", "/inventory", "", 200, `"quantity":2`},
		{"an order of what never was fails", "POST", "/orders", `{"sku": "crate", "quantity": 1}`, 409, "0 of crate"},
		{"orders are listed", "GET", "/orders?limit=1", "", 200, `"sku":"pallet","quantity":6`},
		{"a limit that is none is refused", "GET", "/orders?limit=many", "", 400, "limit"},
		{"a quantity below one is refused", "POST", "/orders", `{"sku": "pallet", "quantity": 0}`, 400, "quantity"},
		{"a SKU with spaces is refused", "POST", "/inventory", `{"sku": "a b", "quantity": 1}`, 400, "sku"},
		{"a leg is stored", "POST", "/legs", `{"from": "Rotterdam", "to": "Köln", "minutes": 150}`, 200, "Köln"},
		{"a leg is stored again with another time", "POST", "/legs", `{"from": "Rotterdam", "to": "Köln", "minutes": 160}`, 200, "160"},
		{"another leg is stored", "POST", "/legs", `{"from": "Köln", "to": "Basel", "minutes": 280}`, 200, "Basel"},
		{"a route leads over both", "GET", "/routes?from=Rotterdam&to=Basel", "", 200, `{"stops":["Rotterdam","Köln","Basel"],"minutes":440}`},
		{"a route back is not known", "GET", "/routes?from=Basel&to=Rotterdam", "", 404, "no stored legs"},
		{"a route to nowhere is refused", "GET", "/routes?from=Basel", "", 400, "to is"},
		{"a route to where one is is refused", "GET", "/routes?from=Basel&to=Basel", "", 400, "both"},
		{"a leg of no time is refused", "POST", "/legs", `{"from": "A", "to": "B", "minutes": 0}`, 400, "minutes"},
		{"a user registers", "POST", "/users", `{"email": "ada@example.com", "password": "correct horse"}`, 201, "ada@example.com"},
		{"the user logs in", "POST", "/login", `{"email": "ada@example.com", "password": "correct horse"}`, 200, "token"},
	}
	for _, isolation := range []app.Isolation{app.Pool, app.Bridge, app.Silo} {
		// A neighbour of the same isolation has used all tables before.
		neighbour := platform.Tenant(t, "neighbour_"+string(isolation), isolation)
		status, _ := apptest.Do(t, service, neighbour, http.MethodPost, "/inventory", `{"sku": "pallet", "quantity": 70}`)
		require.Equal(t, http.StatusOK, status)
		tenant := platform.Tenant(t, "acme_"+string(isolation), isolation)
		for _, step := range steps {
			t.Run(string(isolation)+": "+step.name, func(t *testing.T) {
				status, answer := apptest.Do(t, service, tenant, step.method, step.path, step.body)
				require.Equal(t, step.status, status, answer)
				require.Contains(t, answer, step.answer)
			})
		}
	}
	t.Run("orders at once never take more than there is", func(t *testing.T) {
		tenant := platform.Tenant(t, "rush", app.Bridge)
		status, _ := apptest.Do(t, service, tenant, http.MethodPost, "/inventory", `{"sku": "pallet", "quantity": 7}`)
		require.Equal(t, http.StatusOK, status)
		statuses := make([]int, 20)
		var group errgroup.Group
		for i := range statuses {
			group.Go(func() error {
				statuses[i], _ = apptest.Do(t, service, tenant, http.MethodPost, "/orders", `{"sku": "pallet", "quantity": 1}`)
				return nil
			})
		}
		require.NoError(t, group.Wait())
		count := map[int]int{}
		for _, status := range statuses {
			count[status]++
		}
		require.Equal(t, map[int]int{http.StatusCreated: 7, http.StatusConflict: 13}, count)
	})
}

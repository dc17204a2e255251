package main

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
)

func ordersTable() app.Table {
	return app.Table{Name: "orders", Unique: []string{"number"}, Columns: `
		number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		sku        text NOT NULL,
		quantity   bigint NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now()`}
}

type order struct {
	Number    int64     `json:"number"`
	SKU       string    `json:"sku"`
	Quantity  int64     `json:"quantity"`
	CreatedAt time.Time `json:"created_at"`
}

func serveOrders(s *app.Server, db *app.Databases) {
	s.Handle("GET /orders", func(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
		limit, err := limitOf(r)
		if err != nil {
			return err
		}
		return list[order](w, r, db, t,
			"SELECT number, sku, quantity, created_at FROM orders ORDER BY number DESC LIMIT $1", limit)
	})
	s.Handle("POST /orders", func(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
		var wanted stock
		if err := app.Decode(r, &wanted); err != nil {
			return err
		}
		if err := wanted.validate(); err != nil {
			return err
		}
		placed := order{SKU: wanted.SKU, Quantity: wanted.Quantity}
		// Both in one transaction: goods are never gone without an order.
		err := db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
			if err := take(r, tx, wanted); err != nil {
				return err
			}
			return tx.QueryRow(r.Context(), "INSERT INTO orders (sku, quantity) VALUES ($1, $2) RETURNING number, created_at",
				wanted.SKU, wanted.Quantity).Scan(&placed.Number, &placed.CreatedAt)
		})
		if err != nil {
			return err
		}
		return app.Write(w, http.StatusCreated, placed)
	})
}

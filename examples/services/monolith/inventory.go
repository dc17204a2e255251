package main

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
)

// maxQuantity keeps sums far from the end of PostgreSQL's bigint.
const maxQuantity = 1_000_000

var skuPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

func inventoryTable() app.Table {
	return app.Table{Name: "inventory", Unique: []string{"sku"}, Columns: `
		id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		sku      text NOT NULL,
		quantity bigint NOT NULL CHECK (quantity >= 0)`}
}

type stock struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

func (s stock) validate() error {
	if !skuPattern.MatchString(s.SKU) {
		return app.BadRequest("sku %q must have 1 to 40 letters, digits, dots, hyphens or underscores", s.SKU)
	}
	if s.Quantity < 1 || s.Quantity > maxQuantity {
		return app.BadRequest("quantity is %d: it must be between 1 and %d", s.Quantity, maxQuantity)
	}
	return nil
}

func serveInventory(s *app.Server, db *app.Databases) {
	s.Handle("GET /inventory", func(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
		limit, err := limitOf(r)
		if err != nil {
			return err
		}
		return list[stock](w, r, db, t, "SELECT sku, quantity FROM inventory ORDER BY sku LIMIT $1", limit)
	})
	s.Handle("POST /inventory", func(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
		var received stock
		if err := app.Decode(r, &received); err != nil {
			return err
		}
		if err := received.validate(); err != nil {
			return err
		}
		total := stock{SKU: received.SKU}
		err := db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
			return tx.QueryRow(r.Context(), `INSERT INTO inventory (sku, quantity) VALUES ($1, $2)
				ON CONFLICT ON CONSTRAINT inventory_key DO UPDATE SET quantity = inventory.quantity + excluded.quantity
				RETURNING quantity`, received.SKU, received.Quantity).Scan(&total.Quantity)
		})
		if err != nil {
			return err
		}
		return app.Write(w, http.StatusOK, total)
	})
}

// take removes goods from the inventory, or says how many there are.
func take(r *http.Request, tx pgx.Tx, wanted stock) error {
	tag, err := tx.Exec(r.Context(), "UPDATE inventory SET quantity = quantity - $2 WHERE sku = $1 AND quantity >= $2",
		wanted.SKU, wanted.Quantity)
	if err != nil || tag.RowsAffected() == 1 {
		return err
	}
	var left int64
	err = tx.QueryRow(r.Context(), "SELECT quantity FROM inventory WHERE sku = $1", wanted.SKU).Scan(&left)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	return app.Refuse(http.StatusConflict, "%d of %s are in stock, not %d", left, wanted.SKU, wanted.Quantity)
}

// limitOf reads how many rows of a list are wanted: 100 unless said otherwise, at most 1000.
func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 100, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > 1000 {
		return 0, app.BadRequest("limit is %q: it must be a whole number between 1 and 1000", text)
	}
	return limit, nil
}

// list answers with the rows of a query as {"items": [...]}.
func list[T any](w http.ResponseWriter, r *http.Request, db *app.Databases, t app.Tenant, query string, args ...any) error {
	var items []T
	err := db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
		rows, err := tx.Query(r.Context(), query, args...)
		if err != nil {
			return err
		}
		items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
		return err
	})
	if err != nil {
		return err
	}
	if items == nil {
		items = []T{} // an empty list is [], not null
	}
	return app.Write(w, http.StatusOK, map[string]any{"items": items})
}

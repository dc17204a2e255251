package main

import (
	"net/http"
	"regexp"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
)

// maxMinutes is the longest leg: a month.
const maxMinutes = 31 * 24 * 60

var placePattern = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,59}$`)

func legsTable() app.Table {
	return app.Table{Name: "legs", Unique: []string{"origin", "destination"}, Columns: `
		id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		origin      text NOT NULL,
		destination text NOT NULL,
		minutes     integer NOT NULL CHECK (minutes > 0)`}
}

// leg is a drive between two places, in one direction.
type leg struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Minutes int    `json:"minutes"`
}

func validatePlace(field, place string) error {
	if !placePattern.MatchString(place) {
		return app.BadRequest("%s is %q: it must be a place of 1 to 60 letters, digits, spaces, dots, hyphens or underscores", field, place)
	}
	return nil
}

func validateEnds(from, to string) error {
	if err := validatePlace("from", from); err != nil {
		return err
	}
	if err := validatePlace("to", to); err != nil {
		return err
	}
	if from == to {
		return app.BadRequest("from and to are both %q", from)
	}
	return nil
}

func serveRoutes(s *app.Server, db *app.Databases) {
	s.Handle("POST /legs", func(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
		var l leg
		if err := app.Decode(r, &l); err != nil {
			return err
		}
		if err := validateEnds(l.From, l.To); err != nil {
			return err
		}
		if l.Minutes < 1 || l.Minutes > maxMinutes {
			return app.BadRequest("minutes is %d: it must be between 1 and %d", l.Minutes, maxMinutes)
		}
		err := db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
			_, err := tx.Exec(r.Context(), `INSERT INTO legs (origin, destination, minutes) VALUES ($1, $2, $3)
				ON CONFLICT ON CONSTRAINT legs_key DO UPDATE SET minutes = excluded.minutes`, l.From, l.To, l.Minutes)
			return err
		})
		if err != nil {
			return err
		}
		return app.Write(w, http.StatusOK, l)
	})
	s.Handle("GET /routes", func(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
		from, to := r.URL.Query().Get("from"), r.URL.Query().Get("to")
		if err := validateEnds(from, to); err != nil {
			return err
		}
		var legs []leg
		err := db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
			rows, err := tx.Query(r.Context(), "SELECT origin, destination, minutes FROM legs")
			if err != nil {
				return err
			}
			legs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[leg])
			return err
		})
		if err != nil {
			return err
		}
		found, ok := shortest(legs, from, to)
		if !ok {
			return app.Refuse(http.StatusNotFound, "no stored legs lead from %q to %q", from, to)
		}
		return app.Write(w, http.StatusOK, found)
	})
}

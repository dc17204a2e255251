package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body   string
		status int // 0: accepted
	}{
		"an object is read":                  {body: `{"name": "x"}`},
		"white space around it is fine":      {body: " {\"name\": \"x\"}\n"},
		"an empty body is refused":           {status: http.StatusBadRequest},
		"an unknown field is refused":        {body: `{"title": "x"}`, status: http.StatusBadRequest},
		"a value of another type is refused": {body: `{"name": 1}`, status: http.StatusBadRequest},
		"two objects are refused":            {body: `{"name": "x"}{}`, status: http.StatusBadRequest},
		"a cut-off object is refused":        {body: `{"name": "x"`, status: http.StatusBadRequest},
		"a huge body is refused":             {body: `{"name": "` + strings.Repeat("x", maxBody) + `"}`, status: http.StatusRequestEntityTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var into struct{ Name string }
			err := Decode(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(test.body)), &into)
			if test.status == 0 {
				require.NoError(t, err)
				require.Equal(t, "x", into.Name)
				return
			}
			require.Equal(t, test.status, problemOf(err).Status)
		})
	}
}

func TestProblemOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want int
	}{
		"a problem keeps its status":         {fmt.Errorf("while: %w", Refuse(http.StatusTeapot, "no coffee")), http.StatusTeapot},
		"a duplicate is a conflict":          {&pgconn.PgError{Code: codeUniqueViolation}, http.StatusConflict},
		"a standby asks to try again":        {&pgconn.PgError{Code: codeReadOnlyTransaction}, http.StatusServiceUnavailable},
		"a missing privilege is forbidden":   {&pgconn.PgError{Code: codeInsufficientPrivilege}, http.StatusForbidden},
		"a slow database asks to try again":  {fmt.Errorf("query: %w", context.DeadlineExceeded), http.StatusServiceUnavailable},
		"anything else is an internal error": {errors.New("secret detail"), http.StatusInternalServerError},
		"another SQL error is internal, too": {&pgconn.PgError{Code: "22012"}, http.StatusInternalServerError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := problemOf(test.err)
			require.Equal(t, test.want, got.Status)
			require.NotContains(t, got.Message, "secret")
		})
	}
}

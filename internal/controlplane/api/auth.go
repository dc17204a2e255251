package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// authorize is the middleware that lets through who has the role that the operation needs.
func (s *server) authorize(ctx huma.Context, next func(huma.Context)) {
	request, writer := humago.Unwrap(ctx)
	// An operation without a role would be one for nobody: no role includes "".
	role, _ := ctx.Operation().Metadata[roleKey].(synapse.Role)
	if s.admit(writer, request, role, `Bearer realm="synapse"`) {
		next(ctx)
	}
}

// protect does the same for a handler outside of huma.
func (s *server) protect(next http.Handler, challenge string, role func(*http.Request) synapse.Role) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.admit(w, r, role(r), challenge) {
			next.ServeHTTP(w, r)
		}
	})
}

// admit identifies the caller and checks the role. When it returns false it has answered the request.
func (s *server) admit(w http.ResponseWriter, r *http.Request, role synapse.Role, challenge string) bool {
	token, err := s.authenticate(r)
	if err != nil {
		if p, ok := errors.AsType[*synapse.Problem](err); ok {
			w.Header().Set("WWW-Authenticate", challenge)
			writeProblem(w, r, p)
			return false
		}
		writeProblem(w, r, s.fault(r.Context(), err))
		return false
	}
	infoOf(r.Context()).actor = token.Name
	if !token.Role.Includes(role) {
		writeProblem(w, r, newProblem(http.StatusForbidden, "this needs the role %s, and token %q has the role %s", role, token.Name, token.Role))
		return false
	}
	return true
}

// authenticate finds the token that a request carries, as a bearer token or, as registry clients do, as the password of
// basic authentication.
func (s *server) authenticate(r *http.Request) (synapse.Token, error) {
	secret := ""
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		secret = strings.TrimSpace(rest)
	case strings.EqualFold(scheme, "Basic") && strings.HasPrefix(r.URL.Path, "/v2/"):
		_, secret, _ = r.BasicAuth()
	}
	if secret == "" {
		return synapse.Token{}, newProblem(http.StatusUnauthorized, "send a token in the header Authorization: Bearer TOKEN")
	}
	token, err := s.tokens.find(r.Context(), HashSecret(secret))
	if errors.Is(err, store.ErrNotFound) {
		return synapse.Token{}, newProblem(http.StatusUnauthorized, "the token is not known, or it has expired")
	}
	if err != nil {
		return synapse.Token{}, fmt.Errorf("looking up a token: %w", err)
	}
	return token, nil
}

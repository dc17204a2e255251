package console

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	signInPath  = Root + "sign-in"
	signOutPath = Root + "sign-out"
	// maxForm is far above a token and an address.
	maxForm = 16 << 10
)

// signInView is the sign-in page.
type signInView struct {
	Action  string
	Next    string
	Problem string
}

// viewerKey finds, in the context of a request, the token of who is signed in.
type viewerKey struct{}

// viewer returns the token of who is signed in, or nil.
func viewer(ctx context.Context) *synapse.Token {
	token, _ := ctx.Value(viewerKey{}).(*synapse.Token)
	return token
}

// identify finds out who is signed in: who has a session whose token still exists.
func (c *console) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if secret, ok := c.sessions.secret(sessionID(r)); ok {
			// The session stays when this fails: the store may be away for a moment only.
			if token, ok := c.Authenticate(r.Context(), secret); ok {
				r = r.WithContext(context.WithValue(r.Context(), viewerKey{}, &token))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// signedIn lets through who is signed in and may read; others are asked to sign in.
func (c *console) signedIn(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := viewer(r.Context())
		switch {
		case token == nil:
			c.askToSignIn(w, r)
		case !token.Role.Includes(synapse.RoleViewer):
			c.problem(w, r, http.StatusForbidden, "Your token may not read. Sign in with one that has at least the role viewer.")
		default:
			next(w, r)
		}
	})
}

func (c *console) askToSignIn(w http.ResponseWriter, r *http.Request) {
	target := signInPath
	if back := r.URL.RequestURI(); back != Root {
		target += "?" + url.Values{"next": {back}}.Encode()
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

func (c *console) signInForm(w http.ResponseWriter, r *http.Request) {
	c.render(w, r, http.StatusOK, layout{Title: "Sign in", Name: "sign_in",
		Content: signInView{Action: signInPath, Next: ownPath(r.URL.Query().Get("next"))}})
}

// signIn begins a session for who knows a token's secret.
func (c *console) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		c.problem(w, r, http.StatusBadRequest, "The form could not be read. Go back and try again.")
		return
	}
	next := ownPath(r.PostForm.Get("next"))
	refuse := func(status int, problem string) {
		c.render(w, r, status, layout{Title: "Sign in", Name: "sign_in",
			Content: signInView{Action: signInPath, Next: next, Problem: problem}})
	}
	secret := strings.TrimSpace(r.PostForm.Get("token"))
	if secret == "" {
		refuse(http.StatusUnprocessableEntity, "Enter a token.")
		return
	}
	succeeded, allowed := c.attempts.begin(r)
	if !allowed {
		w.Header().Set("Retry-After", strconv.Itoa(int(failureEvery.Seconds())))
		refuse(http.StatusTooManyRequests, "Too many sign-ins have failed. Wait a little and try again.")
		return
	}
	token, ok := c.Authenticate(r.Context(), secret)
	if !ok {
		c.Log.Warn("a sign-in at the console failed", "remote", r.RemoteAddr)
		refuse(http.StatusUnauthorized, "This token is not known, or it has expired.")
		return
	}
	succeeded()
	c.sessions.end(sessionID(r))
	c.setCookie(w, c.sessions.begin(secret))
	c.Log.Info("signed in at the console", "token", token.Name, "remote", r.RemoteAddr)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (c *console) signOut(w http.ResponseWriter, r *http.Request) {
	c.sessions.end(sessionID(r))
	c.setCookie(w, "")
	http.Redirect(w, r, signInPath, http.StatusSeeOther)
}

// ownPath returns an address to go on with when it is a page of the console, and else the first page: a sign-in must
// not lead to another site.
func ownPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, Root) ||
		strings.HasPrefix(u.Path, signInPath) || strings.ContainsRune(u.Path, '\\') {
		return Root
	}
	if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
		return Root
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

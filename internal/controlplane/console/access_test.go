package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/console"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func pagePaths() []string {
	return []string{
		"/console/", "/console/regions", "/console/regions/eu", "/console/tenants", "/console/tenants/acme", "/console/deployments",
		"/console/deployments?service=auth", "/console/deployments/auth/v2", "/console/slos", "/console/slos/auth-availability",
		"/console/splits", "/console/splits/auth", "/console/failover-policies", "/console/failover-policies/shop", "/console/dr-drills",
		"/console/dr-drills/lose-eu", "/console/dr-drill-runs/lose-eu-20260304", "/console/dr-drill-runs/lose-eu-now", "/console/dr-drill-runs/lose-us-1",
	}
}

func TestEveryPageAsksStrangersToSignInAndThenGoesOnWithThePage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	for _, path := range pagePaths() {
		answer := f.do(http.MethodGet, path, "", nil)
		require.Equal(t, http.StatusSeeOther, answer.Code, path)
		form := answer.Header().Get("Location")
		require.Equal(t, http.StatusOK, f.do(http.MethodGet, form, "", nil).Code, form)
		u, err := url.Parse(form)
		require.NoError(t, err)
		next := u.Query().Get("next")
		answer = f.do(http.MethodPost, "/console/sign-in", "", url.Values{"token": {viewerSecret}, "next": {next}})
		require.Equal(t, http.StatusSeeOther, answer.Code)
		require.Equal(t, path, answer.Header().Get("Location"))
	}
}

func TestTheCookieIsOutOfReachOfScriptsAndOtherSitesAndIsNotTheToken(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"over HTTP": false, "over HTTPS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *console.Options) { o.Secure = secure })
			answer := f.do(http.MethodPost, "/console/sign-in", "", url.Values{"token": {viewerSecret}})
			cookies := answer.Result().Cookies()
			require.Len(t, cookies, 1)
			cookie := cookies[0]
			require.True(t, cookie.HttpOnly)
			require.Equal(t, secure, cookie.Secure)
			require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
			require.Equal(t, "/console", cookie.Path)
			require.Equal(t, 12*60*60, cookie.MaxAge)
			require.NotContains(t, cookie.Value, viewerSecret)
			require.GreaterOrEqual(t, len(cookie.Value), 26, "130 random bits")
			require.NotEqual(t, cookie.Value, f.signIn(viewerSecret), "every sign-in has an id of its own")
		})
	}
}

func TestASessionEndsWhenItShould(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(f *fixture, session string){
		"after 12 hours":            func(f *fixture, _ string) { f.advance(12 * time.Hour) },
		"when its token is deleted": func(f *fixture, _ string) { f.setToken(viewerSecret, nil) },
		"when the user signs out":   func(f *fixture, session string) { f.do(http.MethodPost, "/console/sign-out", session, url.Values{}) },
		"when the user signs in once more": func(f *fixture, session string) {
			f.do(http.MethodPost, "/console/sign-in", session, url.Values{"token": {viewerSecret}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			session := f.signIn(viewerSecret)
			f.advance(12*time.Hour - time.Second)
			require.Equal(t, http.StatusOK, f.do(http.MethodGet, "/console/", session, nil).Code)
			end(f, session)
			require.Equal(t, http.StatusSeeOther, f.do(http.MethodGet, "/console/", session, nil).Code)
		})
	}
}

func TestASessionOutlivesAMomentInWhichTokensCanNotBeRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	session := f.signIn(viewerSecret)
	f.setToken(viewerSecret, nil)
	require.Equal(t, http.StatusSeeOther, f.do(http.MethodGet, "/console/", session, nil).Code)
	f.setToken(viewerSecret, &synapse.Token{Name: "reader", Role: synapse.RoleViewer})
	require.Equal(t, http.StatusOK, f.do(http.MethodGet, "/console/", session, nil).Code)
}

func TestTheOldestSessionMakesRoomForTheThousandAndFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	oldest := f.signIn(viewerSecret)
	f.advance(time.Second)
	second := f.signIn(viewerSecret)
	for range 998 {
		f.advance(time.Second)
		f.signIn(viewerSecret)
	}
	require.Equal(t, http.StatusOK, f.do(http.MethodGet, "/console/slos", oldest, nil).Code)
	f.signIn(viewerSecret)
	require.Equal(t, http.StatusSeeOther, f.do(http.MethodGet, "/console/slos", oldest, nil).Code)
	require.Equal(t, http.StatusOK, f.do(http.MethodGet, "/console/slos", second, nil).Code)
}

func TestFailedSignInsAreLimitedAndSuccessesCostNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	try := func(secret string) int {
		return f.do(http.MethodPost, "/console/sign-in", "", url.Values{"token": {secret}}).Code
	}
	for range 20 {
		require.Equal(t, http.StatusSeeOther, try(viewerSecret))
	}
	for range 5 {
		require.Equal(t, http.StatusUnauthorized, try("synapse_WRONG"))
	}
	require.Equal(t, http.StatusTooManyRequests, try("synapse_WRONG"))
	require.Equal(t, http.StatusTooManyRequests, try(viewerSecret), "guessing right is limited too")
	f.advance(10 * time.Second)
	require.Equal(t, http.StatusSeeOther, try(viewerSecret))
	require.Equal(t, http.StatusUnauthorized, try("synapse_WRONG"))
	require.Equal(t, http.StatusTooManyRequests, try("synapse_WRONG"))
}

func TestASignInWithoutATokenSaysSo(t *testing.T) {
	t.Parallel()
	answer := newFixture(t).do(http.MethodPost, "/console/sign-in", "", url.Values{"token": {"  "}})
	require.Equal(t, http.StatusUnprocessableEntity, answer.Code)
	require.Contains(t, answer.Body.String(), "Enter a token.")
}

func TestNoSecretIsInPagesCookiesOrLogs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	for _, secret := range []string{viewerSecret, "synapse_WRONG"} {
		answer := f.do(http.MethodPost, "/console/sign-in", "", url.Values{"token": {secret}})
		require.NotContains(t, answer.Body.String(), secret)
		require.NotContains(t, fmt.Sprint(answer.Header()), secret)
	}
	for _, path := range pagePaths() {
		require.NotContains(t, f.page(path), viewerSecret)
	}
	require.Contains(t, f.log.String(), "reader", "sign-ins are logged by the token's name")
	require.NotContains(t, f.log.String(), viewerSecret)
	require.NotContains(t, f.log.String(), "synapse_WRONG")
}

func TestPostsFromOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string][]string{
		"by fetch metadata": {"Sec-Fetch-Site", "cross-site"},
		"by origin":         {"Origin", "https://evil.example"},
	} {
		for _, path := range []string{"/console/sign-in", "/console/sign-out"} {
			t.Run(name+" at "+path, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t)
				session := f.signIn(viewerSecret)
				answer := f.do(http.MethodPost, path, session, url.Values{"token": {viewerSecret}}, headers...)
				require.Equal(t, http.StatusForbidden, answer.Code)
				require.Empty(t, answer.Result().Cookies())
				require.Contains(t, answer.Body.String(), "another site")
				require.Equal(t, http.StatusOK, f.do(http.MethodGet, "/console/", session, nil).Code, "the session goes on")
			})
		}
	}
}

func TestASignInNeverLeadsToAnotherSite(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for next, want := range map[string]string{
		"/console/splits/auth?range=1h0m0s": "/console/splits/auth?range=1h0m0s",
		"":                                  "/console/",
		"https://evil.example/console/slos": "/console/",
		"//evil.example/console/slos":       "/console/",
		"/console/../v1/tenants":            "/console/",
		`/console/\evil.example`:            "/console/",
		"/\\evil.example":                   "/console/",
		"javascript:alert(1)":               "/console/",
		"/console/sign-in":                  "/console/",
		"/elsewhere":                        "/console/",
		"/console/\x00":                     "/console/",
	} {
		answer := f.do(http.MethodPost, "/console/sign-in", "", url.Values{"token": {viewerSecret}, "next": {next}})
		require.Equal(t, http.StatusSeeOther, answer.Code)
		require.Equal(t, want, answer.Header().Get("Location"), "next=%q", next)
	}
}

func TestATokenThatMayNotReadSeesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	f.setToken("synapse_NOBODY", &synapse.Token{Name: "nobody", Role: "none"})
	session := f.signIn("synapse_NOBODY")
	for _, path := range pagePaths() {
		answer := f.do(http.MethodGet, path, session, nil)
		require.Equal(t, http.StatusForbidden, answer.Code, path)
		require.NotContains(t, answer.Body.String(), "acme")
	}
}

func TestAConsoleThatLacksSomethingIsRefused(t *testing.T) {
	t.Parallel()
	_, err := console.New(console.Options{Platform: func(context.Context) synapse.Platform { return synapse.Platform{} }})
	require.ErrorContains(t, err, "the console needs")
}

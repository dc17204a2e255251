package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestTheAttributesOfACohortsCookie(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		wanted   synapse.SameSite
		secure   bool
		sameSite http.SameSite
	}{
		{"", false, http.SameSiteLaxMode},
		{synapse.SameSiteLax, true, http.SameSiteLaxMode},
		{synapse.SameSiteStrict, false, http.SameSiteStrictMode},
		{synapse.SameSiteNone, true, http.SameSiteNoneMode},
		{synapse.SameSiteNone, false, 0}, // a browser would drop it
	} {
		header := make(http.Header)
		s := &split{prefix: "/auth", affinity: &synapse.Affinity{Key: synapse.AffinityCookie, Name: "cohort", SameSite: test.wanted}}
		affinityCookie{s, "key"}.set(header, test.secure)
		cookies := (&http.Response{Header: header}).Cookies()
		require.Len(t, cookies, 1)
		require.Equal(t, test.sameSite, cookies[0].SameSite, "%+v", test)
		require.Equal(t, test.secure, cookies[0].Secure, "%+v", test)
		require.True(t, cookies[0].HttpOnly)
		require.Equal(t, "/auth", cookies[0].Path)
	}
}

func TestACookieOfACohortIsSecureWhenTheEntrySaysThatTheClientIs(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 50)
	config.Splits[0].Affinity = &synapse.Affinity{Key: synapse.AffinityCookie, Name: "cohort", Salt: "s"}
	region := newRegionServer(t, config)
	secure := func(headers ...string) bool {
		got := send(t, http.MethodGet, region.URL+"/auth/x", "", headers...)
		return (&http.Response{Header: got.Header}).Cookies()[0].Secure
	}
	require.False(t, secure())
	require.False(t, secure(headerClientProto, "https", headerForwardedProto, "https"), "anybody says that")
	require.True(t, secure(headerClientProto, "https", headerInternal, internalToken(testToken)))
}

func TestACookieThatAClientMadeUpBreaksNothing(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 50)
	config.Splits[0].Affinity = &synapse.Affinity{Key: synapse.AffinityCookie, Name: "cohort", Salt: "s"}
	region := newRegionServer(t, config)
	long := strings.Repeat("x", 3*maxCohortKey)
	for _, value := range []string{long, `"quoted, with spaces"`, "a=b=c", "é\xff", `\`, "%00"} {
		first := send(t, http.MethodGet, region.URL+"/auth/x", "", "Cookie", "other=1;cohort="+value)
		require.Equal(t, http.StatusOK, first.Status)
		require.Empty(t, first.Header.Values("Set-Cookie"), "the client keeps what it has")
		again := send(t, http.MethodGet, region.URL+"/auth/y", "", "Cookie", "cohort="+value+"; other=2")
		require.Equal(t, first.Header.Get(HeaderBackend), again.Header.Get(HeaderBackend))
	}
	require.Len(t, cookieOf(http.Header{"Cookie": {"cohort=" + long}}, "cohort"), maxCohortKey)
	require.Equal(t, "a", cookieOf(http.Header{"Cookie": {"cohort=; xcohort=b", "cohort=a; cohort=c"}}, "cohort"))
}

func TestABackendsOwnCookieIsNotReplacedByTheCohorts(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "session=of-the-application; Path=/auth")
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(backend.Close)
	config := Config{Splits: []Split{authSplit(backend.URL, 0)}}
	config.Splits[0].Affinity = &synapse.Affinity{Key: synapse.AffinityCookie, Name: "session", Salt: "s"}
	got := send(t, http.MethodGet, newRegionServer(t, config).URL+"/auth/x", "")
	require.Equal(t, []string{"session=of-the-application; Path=/auth"}, got.Header["Set-Cookie"])
}

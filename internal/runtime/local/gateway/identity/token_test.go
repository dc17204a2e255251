package identity

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"
)

// issuer is a server that publishes keys and makes tokens.
type issuer struct {
	*httptest.Server
	mu        sync.Mutex
	keys      []jose.JSONWebKey
	discovery string // the issuer that the discovery document names; "" for no document
	down      atomic.Bool
	looks     atomic.Int64
}

func newIssuer(t testing.TB, keys ...jose.JSONWebKey) *issuer {
	i := &issuer{}
	i.publish(keys...)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		switch {
		case i.down.Load():
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/.well-known/openid-configuration" && i.discovery != "":
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.discovery, "jwks_uri": i.URL + "/elsewhere"})
		case r.URL.Path == "/.well-known/jwks.json", r.URL.Path == "/elsewhere":
			i.looks.Add(1)
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: i.keys})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) publish(keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = nil
	for _, key := range keys {
		i.keys = append(i.keys, key.Public())
	}
}

func key(t testing.TB, id string, algorithm jose.SignatureAlgorithm) jose.JSONWebKey {
	var private crypto.Signer
	var err error
	switch algorithm {
	case jose.RS256, jose.PS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	require.NoError(t, err)
	return jose.JSONWebKey{Key: private, KeyID: id, Algorithm: string(algorithm), Use: "sig"}
}

func sign(t testing.TB, key jose.JSONWebKey, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, nil)
	require.NoError(t, err)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

// clock is set by hand.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// world is an issuer and a judge that believes its tokens.
type world struct {
	*clock
	issuer *issuer
	judge  *Judge
	log    *locked // of all judges of this world
}

func newWorld(t testing.TB, keys ...jose.JSONWebKey) *world {
	w := &world{clock: newClock(), issuer: newIssuer(t, keys...), log: &locked{}}
	w.start(t, func(*TokenConfig) {})
	return w
}

func (w *world) start(t testing.TB, change func(*TokenConfig)) {
	token := &TokenConfig{Issuer: w.issuer.URL, Audiences: []string{"shop", "shop-mobile"}, Claim: "tenant", Cookie: "session"}
	change(token)
	config := Config{TenantFrom: []Source{FromToken}, Token: token}
	require.NoError(t, config.Validate())
	var none *Judge
	w.judge = none.Next(config, slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), w.now)
}

// locked is a buffer for many goroutines.
type locked struct {
	mu sync.Mutex
	w  bytes.Buffer
}

// String returns what was written.
func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.String()
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// claims are those of a good token. changes replace some; nil removes one.
func (w *world) claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": w.issuer.URL, "aud": "shop", "sub": "user", "tenant": "acme", "exp": w.now().Add(time.Hour).Unix(), "nbf": w.now().Unix(),
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func (w *world) ask(headers ...string) (Claim, *Refusal) {
	r := request("203.0.113.5", headers...)
	return w.judge.Tenant(r, Peer(r))
}

func (w *world) bearer(token string) (Claim, *Refusal) {
	return w.ask("Authorization", "Bearer "+token)
}

func TestATokenProvesATenantOrIsRefused(t *testing.T) {
	t.Parallel()
	good := map[string]jose.JSONWebKey{}
	var published []jose.JSONWebKey
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA} {
		good[string(algorithm)] = key(t, string(algorithm), algorithm)
		published = append(published, good[string(algorithm)])
	}
	forEncryption := key(t, "enc", jose.ES256)
	forEncryption.Use = "enc"
	w := newWorld(t, append(published, forEncryption)...)
	stranger := key(t, "ES256", jose.ES256) // under the name of another
	unknown := key(t, "unknown", jose.ES256)
	hour := time.Hour
	at := func(d time.Duration) int64 { return w.now().Add(d).Unix() }
	for _, test := range []struct {
		name    string
		key     jose.JSONWebKey
		changes map[string]any
		tenant  string
		says    string // of a refusal
	}{
		{"RSA", good["RS256"], nil, "acme", ""},
		{"RSA-PSS", good["PS256"], nil, "acme", ""},
		{"ECDSA", good["ES256"], nil, "acme", ""},
		{"EdDSA", good["EdDSA"], nil, "acme", ""},
		{"one of several audiences", good["ES256"], map[string]any{"aud": []string{"other", "shop-mobile"}}, "acme", ""},
		{"within the leeway after the end", good["ES256"], map[string]any{"exp": at(-30 * time.Second)}, "acme", ""},
		{"within the leeway before the beginning", good["ES256"], map[string]any{"nbf": at(30 * time.Second)}, "acme", ""},
		{"no tenant", good["ES256"], map[string]any{"tenant": nil}, "", ""},
		{"expired", good["ES256"], map[string]any{"exp": at(-2 * time.Minute)}, "", "has expired"},
		{"no end", good["ES256"], map[string]any{"exp": nil}, "", "no exp claim"},
		{"not yet", good["ES256"], map[string]any{"nbf": at(hour)}, "", "not valid yet"},
		{"made in the future", good["ES256"], map[string]any{"iat": at(hour)}, "", "not valid yet"},
		{"another issuer", good["ES256"], map[string]any{"iss": "https://login.evil.example"}, "", "another issuer"},
		{"no issuer", good["ES256"], map[string]any{"iss": nil}, "", "another issuer"},
		{"another audience", good["ES256"], map[string]any{"aud": "billing"}, "", "another audience"},
		{"no audience", good["ES256"], map[string]any{"aud": nil}, "", "another audience"},
		{"a tenant that is a list", good["ES256"], map[string]any{"tenant": []string{"acme"}}, "", "not a name"},
		{"a tenant with a line break", good["ES256"], map[string]any{"tenant": "acme\r\nX-Evil: 1"}, "", "not a name"},
		{"an empty tenant", good["ES256"], map[string]any{"tenant": ""}, "", "not a name"},
		{"a key of somebody else", stranger, nil, "", "signature is invalid"},
		{"a key that nobody published", unknown, nil, "", "does not publish"},
		{"a key for encryption", forEncryption, nil, "", "does not publish"},
	} {
		t.Run(test.name, func(t *testing.T) {
			token := sign(t, test.key, w.claims(test.changes))
			for range 2 { // the second time from memory
				claim, refused := w.bearer(token)
				if test.says != "" {
					require.NotNil(t, refused)
					require.Equal(t, http.StatusUnauthorized, refused.Status)
					require.Equal(t, CodeTokenInvalid, refused.Code)
					require.Contains(t, refused.Detail, test.says)
					require.Equal(t, `Bearer realm="synapse", error="invalid_token"`, refused.Challenge)
					continue
				}
				require.Nil(t, refused)
				require.Equal(t, test.tenant, claim.Tenant)
				require.Equal(t, test.tenant != "", claim.Named)
				if test.tenant != "" {
					require.Equal(t, ProofToken, claim.Proof)
				}
			}
			for part := range strings.SplitSeq(token, ".") {
				require.NotContains(t, w.log.String(), part, "no token is logged")
			}
		})
	}
}

func TestWhatIsNoTokenWithAPublicKeyIsRefused(t *testing.T) {
	t.Parallel()
	signer := key(t, "a", jose.RS256)
	w := newWorld(t, signer)
	valid := sign(t, signer, w.claims(nil))
	// The public key as a shared secret: the confusion of RFC 8725, 2.1.
	public, err := signer.Public().MarshalJSON()
	require.NoError(t, err)
	confused := sign(t, jose.JSONWebKey{Key: public, KeyID: "a", Algorithm: string(jose.HS256)}, w.claims(nil))
	parts := strings.Split(valid, ".")
	for name, token := range map[string]string{
		"garbage":                    "garbage",
		"nothing":                    "",
		"two parts":                  parts[0] + "." + parts[1],
		"no signature":               parts[0] + "." + parts[1] + ".",
		"no algorithm":               "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"a shared secret":            confused,
		"other claims":               parts[0] + "." + strings.ToUpper(parts[1]) + "." + parts[2],
		"more than any issuer makes": valid + strings.Repeat("A", maxToken),
	} {
		t.Run(name, func(t *testing.T) {
			_, refused := w.bearer(token)
			require.NotNil(t, refused)
			require.Equal(t, http.StatusUnauthorized, refused.Status)
		})
	}
	_, refused := w.ask("Authorization", "Bearer "+valid, "Authorization", "Bearer "+valid)
	require.Equal(t, CodeTenantAmbiguous, refused.Code)
	claim, refused := w.ask("Authorization", "Basic YTpi")
	require.Nil(t, refused, "another scheme is the service's")
	require.False(t, claim.Named)
	claim, refused = w.ask("Authorization", "bearer "+valid)
	require.Nil(t, refused)
	require.Equal(t, "acme", claim.Tenant)
}

func TestATokenMayComeInACookie(t *testing.T) {
	t.Parallel()
	signer := key(t, "a", jose.ES256)
	w := newWorld(t, signer)
	acme, globex := sign(t, signer, w.claims(nil)), sign(t, signer, w.claims(map[string]any{"tenant": "globex"}))
	expired := sign(t, signer, w.claims(map[string]any{"exp": w.now().Add(-time.Hour).Unix()}))
	for _, test := range []struct {
		name, cookie, bearer, header string
		tenant, code                 string
	}{
		{"alone", "session=" + acme, "", "", "acme", ""},
		{"beside others", "a=b; session=" + acme + "; c=d", "", "", "acme", ""},
		{"one that has expired is none", "session=" + expired, "", "", "", ""},
		{"garbage is none", "session=garbage", "", "", "", ""},
		{"the same tenant as in the header", "session=" + acme, acme, "", "acme", ""},
		{"an expired one beside a header", "session=" + expired, globex, "", "globex", ""},
		{"another tenant than in the header is refused", "session=" + acme, globex, "", "", CodeTenantAmbiguous},
		{"two cookies for two tenants are refused", "session=" + acme + "; session=" + globex, "", "", "", CodeTenantAmbiguous},
		{"the tenant header that says the same", "session=" + acme, "", "acme", "acme", ""},
		{"the tenant header that says another one is refused", "session=" + acme, "", "globex", "", CodeTenantNotBelieved},
		{"the tenant header alone is refused", "", "", "acme", "", CodeTenantNotBelieved},
	} {
		t.Run(test.name, func(t *testing.T) {
			var headers []string
			if test.cookie != "" {
				headers = append(headers, "Cookie", test.cookie)
			}
			if test.bearer != "" {
				headers = append(headers, "Authorization", "Bearer "+test.bearer)
			}
			if test.header != "" {
				headers = append(headers, HeaderTenant, test.header)
			}
			claim, refused := w.ask(headers...)
			if test.code != "" {
				require.NotNil(t, refused)
				require.Equal(t, test.code, refused.Code)
				return
			}
			require.Nil(t, refused)
			require.Equal(t, test.tenant, claim.Tenant)
		})
	}
}

func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	first, second := key(t, "first", jose.ES256), key(t, "second", jose.ES256)
	w := newWorld(t, first)
	old := sign(t, first, w.claims(nil))
	_, refused := w.bearer(old)
	require.Nil(t, refused)
	looks := w.issuer.looks.Load()

	w.advance(keysPause)
	w.issuer.publish(second)
	claim, refused := w.bearer(sign(t, second, w.claims(nil)))
	require.Nil(t, refused, "a new key is looked for at once")
	require.Equal(t, "acme", claim.Tenant)
	require.Equal(t, looks+1, w.issuer.looks.Load())
	_, refused = w.bearer(old)
	require.NotNil(t, refused, "what a key signed that was taken back does not count, though it was verified before")

	for range 100 {
		_, refused = w.bearer(sign(t, key(t, "made-up", jose.ES256), w.claims(nil)))
		require.NotNil(t, refused)
	}
	require.Equal(t, looks+1, w.issuer.looks.Load(), "made-up keys do not become requests to the issuer")
}

// TestKeysAreLookedAtAfterTheClockWasSetBack: what was fetched in the future is not fresh until then.
func TestKeysAreLookedAtAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	first, second := key(t, "first", jose.ES256), key(t, "second", jose.ES256)
	w := newWorld(t, first)
	_, refused := w.bearer(sign(t, first, w.claims(nil)))
	require.Nil(t, refused)
	w.advance(-24 * time.Hour)
	w.issuer.publish(second)
	_, refused = w.bearer(sign(t, first, w.claims(nil)))
	require.NotNil(t, refused, "the key was taken back")
	_, refused = w.bearer(sign(t, second, w.claims(nil)))
	require.Nil(t, refused)
}

func TestKeysWithoutANameAreRotatedToo(t *testing.T) {
	t.Parallel()
	first, second := key(t, "", jose.ES256), key(t, "", jose.ES256)
	w := newWorld(t, first)
	_, refused := w.bearer(sign(t, first, w.claims(nil)))
	require.Nil(t, refused)
	w.advance(keysPause)
	w.issuer.publish(second)
	_, refused = w.bearer(sign(t, second, w.claims(nil)))
	require.Nil(t, refused)
}

func TestTheLastKeysGoOnWhileTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	signer := key(t, "a", jose.ES256)
	w := newWorld(t, signer)
	_, refused := w.bearer(sign(t, signer, w.claims(nil)))
	require.Nil(t, refused)
	w.issuer.down.Store(true)
	for range 5 {
		w.advance(keysOld)
		claim, refused := w.bearer(sign(t, signer, w.claims(nil)))
		require.Nil(t, refused)
		require.Equal(t, "acme", claim.Tenant)
	}
}

func TestWithoutAnyKeysNothingIsKnown(t *testing.T) {
	t.Parallel()
	signer := key(t, "a", jose.ES256)
	w := newWorld(t, signer)
	w.issuer.down.Store(true)
	w.start(t, func(*TokenConfig) {})
	_, refused := w.bearer(sign(t, signer, w.claims(nil)))
	require.NotNil(t, refused)
	require.Equal(t, http.StatusServiceUnavailable, refused.Status)
	require.Equal(t, CodeTenantUnverifiable, refused.Code)
	require.Equal(t, keysRetry, refused.RetryAfter)
	w.issuer.down.Store(false)
	w.advance(keysPause)
	_, refused = w.bearer(sign(t, signer, w.claims(nil)))
	require.Nil(t, refused)
}

func TestAVerifiedTokenIsNotVerifiedAgainAndStillExpires(t *testing.T) {
	t.Parallel()
	signer := key(t, "a", jose.ES256)
	w := newWorld(t, signer)
	token := sign(t, signer, w.claims(map[string]any{"exp": w.now().Add(4 * time.Minute).Unix()}))
	for range 3 {
		_, refused := w.bearer(token)
		require.Nil(t, refused)
	}
	require.Equal(t, 1, w.judge.tokens.verified.Len())
	w.advance(4*time.Minute + leeway)
	_, refused := w.bearer(token)
	require.NotNil(t, refused)
	require.Contains(t, refused.Detail, "expired")
}

func TestTheKeysAreWhereTheIssuerSays(t *testing.T) {
	t.Parallel()
	signer := key(t, "a", jose.ES256)
	w := newWorld(t, signer)
	for _, test := range []struct {
		name, discovery string
		change          func(*TokenConfig)
		works           bool
	}{
		{"without a discovery document at the usual place", "", func(*TokenConfig) {}, true},
		{"where the discovery document says", w.issuer.URL, func(*TokenConfig) {}, true},
		{"where the flag says", "https://other.example", func(c *TokenConfig) { c.KeysURL = w.issuer.URL + "/elsewhere" }, true},
		{"a document of another issuer is not believed", "https://other.example", func(*TokenConfig) {}, false},
		{"what is no set of keys is none", "", func(c *TokenConfig) { c.KeysURL = w.issuer.URL + "/.well-known/openid-configuration" }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.issuer.mu.Lock()
			w.issuer.discovery = test.discovery
			w.issuer.mu.Unlock()
			w.start(t, test.change)
			_, refused := w.bearer(sign(t, signer, w.claims(nil)))
			require.Equal(t, test.works, refused == nil)
		})
	}
}

func BenchmarkVerifiedToken(b *testing.B) {
	signer := key(b, "a", jose.RS256)
	w := newWorld(b, signer)
	token := sign(b, signer, w.claims(nil))
	r := request("203.0.113.5", "Authorization", "Bearer "+token)
	origin := Peer(r)
	b.ReportAllocs()
	for b.Loop() {
		if _, refused := w.judge.Tenant(r, origin); refused != nil {
			b.Fatal(refused)
		}
	}
}

func TestAnIssuerThatHangsHoldsNobodyUpWhoseKeyIsKnown(t *testing.T) {
	t.Parallel()
	published := key(t, "one", jose.ES256)
	w := newWorld(t, published)
	token := sign(t, published, w.claims(map[string]any{"exp": w.now().Add(24 * time.Hour).Unix()}))
	_, refused := w.bearer(token)
	require.Nil(t, refused)
	w.issuer.down.Store(true)
	w.advance(2 * time.Hour)
	_, refused = w.bearer(token) // waits, and learns that the issuer is not there
	require.Nil(t, refused)
	w.advance(time.Minute)
	w.issuer.mu.Lock() // from here on it hangs
	defer w.issuer.mu.Unlock()
	w.issuer.down.Store(false)
	started := time.Now()
	_, refused = w.bearer(token)
	require.Nil(t, refused)
	require.Less(t, time.Since(started), keysTimeout/2)
}

func TestKeysAreNotTakenFromWhereAnIssuerSendsInTheClear(t *testing.T) {
	t.Parallel()
	published := key(t, "one", jose.ES256)
	elsewhere := newIssuer(t, published)
	redirecting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A name that is not this machine's; the address behind it is, so that only the check keeps it out.
		http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "keys.example.com", 1)+r.URL.Path, http.StatusFound)
	}))
	t.Cleanup(redirecting.Close)
	source := newKeySource(TokenConfig{Issuer: redirecting.URL, KeysURL: redirecting.URL + "/.well-known/jwks.json"})
	source.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.Replace(address, "keys.example.com", "127.0.0.1", 1))
	}
	_, err := source.fetch(t.Context())
	require.ErrorContains(t, err, "write https")
}

func TestARequestHasNotManyTokens(t *testing.T) {
	t.Parallel()
	published := key(t, "one", jose.ES256)
	w := newWorld(t, published)
	token := sign(t, published, w.claims(nil))
	claim, refused := w.ask("Cookie", strings.Repeat("session=bad; ", maxCookies-1)+"session="+token)
	require.Nil(t, refused)
	require.Equal(t, "acme", claim.Tenant)
	_, refused = w.ask("Cookie", strings.Repeat("session=bad; ", maxCookies)+"session="+token)
	require.NotNil(t, refused)
	require.Equal(t, CodeTenantAmbiguous, refused.Code)
}

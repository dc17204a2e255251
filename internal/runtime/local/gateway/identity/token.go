package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// leeway is how far the clocks of issuer and gateway may differ.
	leeway = time.Minute
	// maxToken is the longest token that is looked at.
	maxToken = 16 << 10
	// verifiedTokens are remembered, so that a request costs a hash and not a signature.
	verifiedTokens = 8192
	// maxCookies are looked at: each costs a signature, and browsers have one or two of a name.
	maxCookies = 4
	// maxTenantName is far above the longest name of a tenant.
	maxTenantName = 256
)

// algorithms are those with a public key. With a shared key, who can verify a token could make one; with "none", anybody.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// Why a token does not count. These, and nothing of the token, go into logs and answers.
var (
	errMalformed   = errors.New("it is not a JSON Web Token signed with a public-key algorithm")
	errUnknownKey  = errors.New("it is signed with a key that the issuer does not publish")
	errSignature   = errors.New("its signature is invalid")
	errExpired     = errors.New("it has expired")
	errNoExpiry    = errors.New("it has no exp claim")
	errTooEarly    = errors.New("it is not valid yet")
	errIssuer      = errors.New("it comes from another issuer")
	errAudience    = errors.New("it is for another audience")
	errTenantClaim = errors.New("its tenant claim is not a name")
)

// verifier finds and verifies the tokens of requests.
type verifier struct {
	config   TokenConfig
	now      func() time.Time
	log      *slog.Logger
	keys     *keys
	verified *lru.Cache[[sha256.Size]byte, verifiedToken]
}

// verifiedToken counts until it expires, or the issuer's keys change.
type verifiedToken struct {
	tenant            string
	notBefore, expiry time.Time
	keys              *keySet
}

func newVerifier(config TokenConfig, log *slog.Logger, now func() time.Time) *verifier {
	verified, _ := lru.New[[sha256.Size]byte, verifiedToken](verifiedTokens) // fails for a size below 1 only
	v := &verifier{config: config, now: now, log: log, verified: verified, keys: &keys{source: newKeySource(config), now: now, log: log}}
	v.keys.look() // so that the first request need not wait
	return v
}

// tenant returns the tenant that the token of a request proves, or "" when it has none or the token says none. A token in the
// header that does not verify is refused. One in the cookie is passed over, because a browser sends a cookie that has expired
// until it is told not to, also on the way to the page that makes a new one.
func (v *verifier) tenant(r *http.Request) (string, *Refusal) {
	inHeader, refused := bearer(r)
	if refused != nil {
		return "", refused
	}
	tenant := ""
	if inHeader != "" {
		var err error
		if tenant, err = v.verify(r.Context(), inHeader); err != nil {
			return "", v.refuse(err)
		}
	}
	if v.config.Cookie == "" {
		return tenant, nil
	}
	cookies := r.CookiesNamed(v.config.Cookie)
	if len(cookies) > maxCookies {
		return "", ambiguous(fmt.Sprintf("the request has %d cookies %s: send one", len(cookies), v.config.Cookie))
	}
	for _, cookie := range cookies {
		other, err := v.verify(r.Context(), cookie.Value)
		switch {
		case errors.Is(err, errNoKeys):
			return "", v.refuse(err)
		case err != nil:
			v.log.Debug("the token in a cookie is passed over", "cookie", v.config.Cookie, "reason", err)
		case tenant == "":
			tenant = other
		case other != "" && other != tenant:
			return "", ambiguous("the tokens of the request are for different tenants: send one")
		}
	}
	return tenant, nil
}

// bearer returns the token in the header Authorization (RFC 6750, 2.1), or "" for none. Other schemes are the service's.
func bearer(r *http.Request) (string, *Refusal) {
	token := ""
	for _, value := range r.Header["Authorization"] {
		scheme, rest, _ := strings.Cut(strings.TrimLeft(value, " \t"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		if token != "" {
			return "", ambiguous("the header Authorization was sent more than once")
		}
		token = strings.Trim(rest, " \t")
		if token == "" {
			return "", &Refusal{Status: http.StatusUnauthorized, Code: CodeTokenInvalid, Detail: "the header Authorization has no token after Bearer", Challenge: challengeInvalid}
		}
	}
	return token, nil
}

func (v *verifier) refuse(err error) *Refusal {
	if errors.Is(err, errNoKeys) {
		return &Refusal{
			Status: http.StatusServiceUnavailable, Code: CodeTenantUnverifiable, RetryAfter: keysRetry,
			Detail: "the token cannot be verified now, because the keys of " + v.config.Issuer + " are not available: try again",
		}
	}
	v.log.Debug("a token was refused", "reason", err)
	return &Refusal{
		Status: http.StatusUnauthorized, Code: CodeTokenInvalid, Challenge: challengeInvalid,
		Detail: "the token is refused because " + err.Error() + ": send a valid one from " + v.config.Issuer + " for this platform",
	}
}

// verify returns the tenant that a token is for; "" when it says none.
func (v *verifier) verify(ctx context.Context, token string) (string, error) {
	if len(token) > maxToken {
		return "", errMalformed
	}
	hash, now := sha256.Sum256([]byte(token)), v.now()
	if known, found := v.verified.Get(hash); found && known.keys == v.keys.current.Load() {
		if _, current, err := v.keys.find(ctx, ""); err == nil && current == known.keys { // looks for new keys when it is time to
			return known.tenant, checkTimes(known.notBefore, known.expiry, now)
		}
	}
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return "", errMalformed
	}
	claims, all, set, err := v.claims(ctx, parsed)
	if err != nil {
		return "", err
	}
	result := verifiedToken{keys: set}
	if claims.Expiry == nil {
		return "", errNoExpiry
	}
	result.expiry = claims.Expiry.Time()
	if claims.NotBefore != nil {
		result.notBefore = claims.NotBefore.Time()
	}
	if err := checkTimes(result.notBefore, result.expiry, now); err != nil {
		return "", err
	}
	err = claims.ValidateWithLeeway(jwt.Expected{Issuer: v.config.Issuer, AnyAudience: v.config.Audiences, Time: now}, leeway)
	switch {
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return "", errIssuer
	case errors.Is(err, jwt.ErrInvalidAudience):
		return "", errAudience
	case err != nil:
		return "", errTooEarly
	}
	if result.tenant, err = tenantClaim(all, v.config.Claim); err != nil {
		return "", err
	}
	v.verified.Add(hash, result)
	return result.tenant, nil
}

// claims verifies the signature. Where the token does not say with which key, and none fits, new keys are looked for once.
func (v *verifier) claims(ctx context.Context, token *jwt.JSONWebToken) (jwt.Claims, map[string]any, *keySet, error) {
	header := token.Headers[0]
	candidates, set, err := v.keys.find(ctx, header.KeyID)
	for again := header.KeyID == ""; err == nil; again = false {
		for _, key := range candidates {
			if key.Algorithm != "" && key.Algorithm != header.Algorithm {
				continue
			}
			var claims jwt.Claims
			all := map[string]any{}
			if token.Claims(key.Key, &claims, &all) == nil {
				return claims, all, set, nil
			}
		}
		if !again {
			break
		}
		candidates, set, err = v.keys.findAnew(ctx, "")
	}
	switch {
	case err != nil:
		return jwt.Claims{}, nil, nil, err
	case len(candidates) == 0:
		return jwt.Claims{}, nil, nil, errUnknownKey
	}
	return jwt.Claims{}, nil, nil, errSignature
}

func checkTimes(notBefore, expiry, now time.Time) error {
	switch {
	case !now.Before(expiry.Add(leeway)):
		return errExpired
	case now.Add(leeway).Before(notBefore):
		return errTooEarly
	}
	return nil
}

// tenantClaim returns the tenant's name, or "" when the token has no such claim: then it is of somebody without a tenant.
func tenantClaim(claims map[string]any, name string) (string, error) {
	value, found := claims[name]
	if !found || value == nil {
		return "", nil
	}
	tenant, ok := value.(string)
	if !ok || tenant == "" || len(tenant) > maxTenantName {
		return "", errTenantClaim
	}
	for i := range len(tenant) {
		if tenant[i] <= ' ' || tenant[i] > '~' {
			return "", errTenantClaim // it is passed on in a header
		}
	}
	return tenant, nil
}

package identity

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Source is something that says for which tenant a request is.
type Source string

// The sources.
const (
	// FromHeader believes the header X-Synapse-Tenant of anyone. It proves nothing.
	FromHeader Source = "header"
	// FromTrustedHeader believes that header of trusted proxies. It proves the tenant.
	FromTrustedHeader Source = "trusted-header"
	// FromHost takes the tenant from the host name. It proves nothing: who sends a request chooses its host name.
	FromHost Source = "host"
	// FromToken takes the tenant from a claim of a signed token. It proves the tenant.
	FromToken Source = "jwt"
)

// Sources are all of them.
func Sources() []Source { return []Source{FromHeader, FromTrustedHeader, FromHost, FromToken} }

// Config is what a platform chose. The zero value trusts no proxy and believes anyone's header.
type Config struct {
	// TrustedProxies are the addresses, as CIDRs, of proxies that say who their client is.
	TrustedProxies []string `json:"trusted_proxies,omitempty"`
	// ProxyTokenHash is the SHA-256 in hexadecimal of a token that a trusted proxy sends as X-Synapse-Proxy-Token; empty for
	// none. Where all peers have the same address, as on loopback, it tells the proxy from other programs.
	ProxyTokenHash string `json:"proxy_token_hash,omitempty"`
	// TenantFrom are the sources; only [FromHeader] when empty.
	TenantFrom []Source `json:"tenant_from,omitempty"`
	// TenantHosts are the host names, with {tenant} in the place of the tenant's name, for [FromHost]. The first that matches
	// counts.
	TenantHosts []string `json:"tenant_hosts,omitempty"`
	// Token says which tokens count for [FromToken]; nil without it.
	Token *TokenConfig `json:"token,omitempty"`
}

// TokenConfig says which tokens count. All fields but KeysURL, Cookie and CA are required.
type TokenConfig struct {
	// Issuer is what the token's iss must be, and a URL below which the keys are found: OpenID Connect Discovery 1.0, 4.
	Issuer string `json:"issuer"`
	// Audiences are those of which the token's aud must have one.
	Audiences []string `json:"audiences"`
	// KeysURL is where the issuer's keys are (RFC 7517); empty: where its discovery document says, or else, when it has none,
	// below the issuer at /.well-known/jwks.json.
	KeysURL string `json:"keys_url,omitempty"`
	// Claim is the name of the claim that holds the tenant's name.
	Claim string `json:"claim"`
	// Cookie is the name of a cookie that holds the token when no header does; empty for none.
	Cookie string `json:"cookie,omitempty"`
	// CA are the certificates, in PEM, of the authorities that the issuer's server is checked against; empty: the system's.
	CA string `json:"ca,omitempty"`
}

// sources are the configured ones.
func (c *Config) sources() []Source {
	if len(c.TenantFrom) == 0 {
		return []Source{FromHeader}
	}
	return c.TenantFrom
}

// Has reports whether a source is in use.
func (c *Config) Has(source Source) bool { return slices.Contains(c.sources(), source) }

// Proves reports whether any source in use can prove a tenant.
func (c *Config) Proves() bool { return c.Has(FromTrustedHeader) || c.Has(FromToken) }

// Validate says what is wrong with the configuration, all of it, in terms of the flags of synapsed serve.
func (c *Config) Validate() error {
	_, err := parseProxies(c.TrustedProxies)
	errs := []error{err}
	if c.ProxyTokenHash != "" && len(c.TrustedProxies) == 0 {
		errs = append(errs, errors.New("--trusted-proxy-token-file needs --trusted-proxy: the token is accepted from those addresses only"))
	}
	for i, source := range c.TenantFrom {
		if !slices.Contains(Sources(), source) {
			errs = append(errs, fmt.Errorf("--tenant-from %q: write header, trusted-header, host or jwt", source))
		}
		if slices.Contains(c.TenantFrom[:i], source) {
			errs = append(errs, fmt.Errorf("--tenant-from %s is given twice", source))
		}
	}
	if c.Has(FromHeader) && c.Has(FromTrustedHeader) {
		errs = append(errs, errors.New("--tenant-from header and --tenant-from trusted-header: header already trusts every client, including the proxies: give only one of them"))
	}
	if c.Has(FromTrustedHeader) && len(c.TrustedProxies) == 0 {
		errs = append(errs, errors.New("--tenant-from trusted-header needs --trusted-proxy"))
	}
	if c.Has(FromHost) != (len(c.TenantHosts) > 0) {
		errs = append(errs, errors.New("--tenant-from host and --tenant-host: give both or neither"))
	}
	for _, text := range c.TenantHosts {
		if _, err := parseHostPattern(text); err != nil {
			errs = append(errs, err)
		}
	}
	if c.Has(FromToken) != (c.Token != nil) {
		errs = append(errs, errors.New("--tenant-from jwt and --tenant-jwt-issuer: give both or neither"))
	}
	if c.Token != nil {
		errs = append(errs, c.Token.validate())
	}
	return errors.Join(errs...)
}

func (t *TokenConfig) validate() error {
	errs := []error{checkKeysURL("--tenant-jwt-issuer", t.Issuer)}
	if len(t.Audiences) == 0 || slices.Contains(t.Audiences, "") {
		errs = append(errs, errors.New("--tenant-jwt-audience: give the aud of the tokens for this platform, so that tokens for other services are not accepted"))
	}
	if t.KeysURL != "" {
		errs = append(errs, checkKeysURL("--tenant-jwt-jwks-url", t.KeysURL))
	}
	if t.Claim == "" {
		errs = append(errs, errors.New("--tenant-jwt-claim: name the claim that holds the tenant"))
	}
	if t.Cookie != "" && (&http.Cookie{Name: t.Cookie}).Valid() != nil { //nolint:gosec // G124: its name is checked, and nobody gets it
		errs = append(errs, fmt.Errorf("--tenant-jwt-cookie %q is not the name of a cookie", t.Cookie))
	}
	if _, err := authorities(t.CA); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkKeysURL refuses a URL from which keys could be had that somebody on the way has put there.
func checkKeysURL(flag, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("%s %q is not a URL such as https://login.example.com", flag, text)
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return fmt.Errorf("%s %q: write https: over http, anyone on the network path could replace the issuer's keys. http is accepted for loopback addresses only", flag, text)
	}
	return nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

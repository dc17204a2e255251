package daemon

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// IdentityOptions say who is believed about clients and tenants. The zero value trusts no proxy and believes the header
// X-Synapse-Tenant of anyone.
type IdentityOptions struct {
	// TrustedProxies are CIDRs or addresses. ProxyTokenFile holds a token that they must send, or is empty.
	TrustedProxies []string
	ProxyTokenFile string
	// TenantFrom are the sources of a request's tenant, as in [identity.Sources].
	TenantFrom []string
	// TenantHosts are host names with {tenant} in them.
	TenantHosts []string
	// Issuer, Audiences, KeysURL, Claim and Cookie are as in [identity.TokenConfig], but that an empty Claim means tenant.
	// CAFile is a PEM file, or empty.
	Issuer                 string
	Audiences              []string
	KeysURL, Claim, Cookie string
	CAFile                 string
}

const (
	// minProxyToken is 128 bits in hexadecimal.
	minProxyToken = 32
	// defaultClaim is the claim that holds the tenant's name unless a flag names another one.
	defaultClaim = "tenant"
)

// config reads the files and checks everything.
func (o IdentityOptions) config() (identity.Config, error) {
	config := identity.Config{TrustedProxies: o.TrustedProxies, TenantHosts: o.TenantHosts}
	for _, source := range o.TenantFrom {
		config.TenantFrom = append(config.TenantFrom, identity.Source(source))
	}
	if o.ProxyTokenFile != "" {
		content, err := os.ReadFile(o.ProxyTokenFile)
		if err != nil {
			return config, fmt.Errorf("--trusted-proxy-token-file: %w", err)
		}
		token := strings.TrimSpace(string(content))
		if len(token) < minProxyToken {
			return config, fmt.Errorf("--trusted-proxy-token-file %s: the token has %d characters: it needs at least %d random ones", o.ProxyTokenFile, len(token), minProxyToken)
		}
		config.ProxyTokenHash = identity.HashProxyToken(token)
	}
	if o.Issuer == "" {
		if err := o.checkWithoutIssuer(); err != nil {
			return config, err
		}
		return config, config.Validate()
	}
	config.Token = &identity.TokenConfig{
		Issuer: o.Issuer, Audiences: o.Audiences, KeysURL: o.KeysURL, Claim: cmp.Or(o.Claim, defaultClaim), Cookie: o.Cookie,
	}
	if o.CAFile != "" {
		content, err := os.ReadFile(o.CAFile)
		if err != nil {
			return config, fmt.Errorf("--tenant-jwt-ca: %w", err)
		}
		config.Token.CA = string(content)
	}
	return config, config.Validate()
}

// checkWithoutIssuer refuses settings of tokens, none of which would count.
func (o IdentityOptions) checkWithoutIssuer() error {
	var given []string
	for _, setting := range []struct {
		flag string
		set  bool
	}{
		{"--tenant-jwt-audience", len(o.Audiences) > 0}, {"--tenant-jwt-jwks-url", o.KeysURL != ""}, {"--tenant-jwt-claim", o.Claim != ""},
		{"--tenant-jwt-cookie", o.Cookie != ""}, {"--tenant-jwt-ca", o.CAFile != ""},
	} {
		if setting.set {
			given = append(given, setting.flag)
		}
	}
	switch len(given) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s needs --tenant-jwt-issuer", given[0])
	}
	return fmt.Errorf("%s need --tenant-jwt-issuer", strings.Join(given, ", "))
}

// warnOfBelief warns where any client may act as any tenant.
func warnOfBelief(config *identity.Config, log *slog.Logger) {
	if config.Has(identity.FromHeader) {
		log.Warn("any client of the global entry or of a gateway can act as any tenant, by the header " + identity.HeaderTenant +
			": use this for experiments on one machine only. See --tenant-from, and the guide docs/guides/tenants-and-proxies.md")
	}
}

// tenantFrom names the sources of a request's tenant.
func tenantFrom(config *identity.Config) []string {
	var names []string
	for _, source := range identity.Sources() {
		if config.Has(source) {
			names = append(names, string(source))
		}
	}
	return names
}

// checkNeed refuses a need that no request could ever meet.
func checkNeed(spec *synapse.ServiceSpec, config *identity.Config) []synapse.FieldError {
	if spec.Tenant != synapse.TenantProven || config.Proves() {
		return nil
	}
	return []synapse.FieldError{{Pointer: "/spec/tenant", Code: synapse.CodeInvalid, Message: "this control plane has no source that proves a tenant, so every request would be refused: " +
		"start synapsed with --tenant-from jwt or --tenant-from trusted-header, or write required"}}
}

package main

import "github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"

// identityFlags say whom the gateways trust about clients and tenants.
type identityFlags struct {
	TrustedProxy          []string `help:"CIDR or address of a proxy whose X-Forwarded-For, -Proto and -Host headers are trusted. May be repeated. Default: none." env:"SYNAPSE_TRUSTED_PROXY" placeholder:"CIDR"`
	TrustedProxyTokenFile string   `help:"File with a token that trusted proxies must send as X-Synapse-Proxy-Token, which distinguishes them from other programs at the same address." type:"existingfile" env:"SYNAPSE_TRUSTED_PROXY_TOKEN_FILE" placeholder:"FILE"`
	TenantFrom            []string `help:"Source of the tenant of a request: header (X-Synapse-Tenant from any client), trusted-header (the same from trusted proxies only), host or jwt. May be repeated; sources that name a tenant must agree. Default: header." env:"SYNAPSE_TENANT_FROM" placeholder:"SOURCE"`
	TenantHost            []string `help:"For --tenant-from host: a host name that contains {tenant}, such as {tenant}.shop.example. May be repeated." env:"SYNAPSE_TENANT_HOST" placeholder:"NAME"`
	JWTIssuer             string   `help:"For --tenant-from jwt: the issuer of the tokens, an https URL, exactly as in their iss claim." name:"tenant-jwt-issuer" env:"SYNAPSE_TENANT_JWT_ISSUER" placeholder:"URL"`
	JWTAudience           []string `help:"Audience that a token must have. May be repeated; a token needs one of them." name:"tenant-jwt-audience" env:"SYNAPSE_TENANT_JWT_AUDIENCE" placeholder:"NAME"`
	JWTKeysURL            string   `help:"URL of the issuer's JSON Web Key Set. Default: the jwks_uri of the issuer's OpenID configuration, or else /.well-known/jwks.json below the issuer." name:"tenant-jwt-jwks-url" env:"SYNAPSE_TENANT_JWT_JWKS_URL" placeholder:"URL"`
	JWTClaim              string   `help:"Claim that holds the tenant's name. Default: tenant." name:"tenant-jwt-claim" env:"SYNAPSE_TENANT_JWT_CLAIM" placeholder:"NAME"`
	JWTCookie             string   `help:"Cookie with the token, for clients that cannot send the header, such as browsers with WebSocket and EventSource. Default: none." name:"tenant-jwt-cookie" env:"SYNAPSE_TENANT_JWT_COOKIE" placeholder:"NAME"`
	JWTCA                 string   `help:"PEM file with the certificate authorities of the issuer's server. Default: those of the system." name:"tenant-jwt-ca" type:"existingfile" env:"SYNAPSE_TENANT_JWT_CA" placeholder:"FILE"`
}

func (f identityFlags) options() daemon.IdentityOptions {
	return daemon.IdentityOptions{
		TrustedProxies: f.TrustedProxy, ProxyTokenFile: f.TrustedProxyTokenFile, TenantFrom: f.TenantFrom, TenantHosts: f.TenantHost,
		Issuer: f.JWTIssuer, Audiences: f.JWTAudience, KeysURL: f.JWTKeysURL, Claim: f.JWTClaim, Cookie: f.JWTCookie, CAFile: f.JWTCA,
	}
}

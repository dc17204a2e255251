package main

import "github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"

// identityFlags say who is believed about clients and tenants.
type identityFlags struct {
	TrustedProxy          []string `help:"CIDR or address of proxies that say who their client is, in X-Forwarded-For, -Proto and -Host. May be repeated. Default: none." env:"SYNAPSE_TRUSTED_PROXY" placeholder:"CIDR"`
	TrustedProxyTokenFile string   `help:"File with a token that trusted proxies must send as X-Synapse-Proxy-Token: it tells them from other programs of the same address." type:"existingfile" env:"SYNAPSE_TRUSTED_PROXY_TOKEN_FILE" placeholder:"FILE"`
	TenantFrom            []string `help:"Who says for which tenant a request is: header (X-Synapse-Tenant, of anyone), trusted-header (the same of trusted proxies only), host or jwt. May be repeated; those that say one must agree. Default: header." env:"SYNAPSE_TENANT_FROM" placeholder:"SOURCE"`
	TenantHost            []string `help:"For --tenant-from host: a host name with {tenant} in it, such as {tenant}.shop.example. May be repeated." env:"SYNAPSE_TENANT_HOST" placeholder:"NAME"`
	JWTIssuer             string   `help:"For --tenant-from jwt: the issuer of the tokens, an https URL, as their iss has it." name:"tenant-jwt-issuer" env:"SYNAPSE_TENANT_JWT_ISSUER" placeholder:"URL"`
	JWTAudience           []string `help:"Audience that tokens must be made for. May be repeated; one suffices." name:"tenant-jwt-audience" env:"SYNAPSE_TENANT_JWT_AUDIENCE" placeholder:"NAME"`
	JWTKeysURL            string   `help:"URL of the issuer's JSON Web Key Set. Default: what the issuer's OpenID configuration says, or else /.well-known/jwks.json below the issuer." name:"tenant-jwt-jwks-url" env:"SYNAPSE_TENANT_JWT_JWKS_URL" placeholder:"URL"`
	JWTClaim              string   `help:"Claim that holds the tenant's name. Default: tenant." name:"tenant-jwt-claim" env:"SYNAPSE_TENANT_JWT_CLAIM" placeholder:"NAME"`
	JWTCookie             string   `help:"Cookie that holds the token of clients that can send no header, as browsers for WebSocket and EventSource. Default: none." name:"tenant-jwt-cookie" env:"SYNAPSE_TENANT_JWT_COOKIE" placeholder:"NAME"`
	JWTCA                 string   `help:"PEM file with the authorities that signed the certificate of the issuer's server. Default: the system's." name:"tenant-jwt-ca" type:"existingfile" env:"SYNAPSE_TENANT_JWT_CA" placeholder:"FILE"`
}

func (f identityFlags) options() daemon.IdentityOptions {
	return daemon.IdentityOptions{
		TrustedProxies: f.TrustedProxy, ProxyTokenFile: f.TrustedProxyTokenFile, TenantFrom: f.TenantFrom, TenantHosts: f.TenantHost,
		Issuer: f.JWTIssuer, Audiences: f.JWTAudience, KeysURL: f.JWTKeysURL, Claim: f.JWTClaim, Cookie: f.JWTCookie, CAFile: f.JWTCA,
	}
}

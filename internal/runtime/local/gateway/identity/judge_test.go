package identity

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSourcesSayTheTenantOrNothing(t *testing.T) {
	t.Parallel()
	const proxy, stranger = "10.0.0.1", "203.0.113.5"
	proxies := []string{"10.0.0.0/8"}
	hosts := []string{"{tenant}.shop.example", "{tenant}-eu.shop.example"}
	for _, test := range []struct {
		name         string
		config       Config
		peer, host   string
		headers      []string
		tenant, code string
		proof        Proof
	}{
		{"by default anyone's header is believed and proves nothing", Config{}, stranger, "", []string{"acme"}, "acme", "", ProofNone},
		{"without a header there is no tenant", Config{}, stranger, "", nil, "", "", ProofNone},
		{"two headers are refused", Config{}, stranger, "", []string{"acme", "acme"}, "", CodeTenantAmbiguous, ""},
		{"a trusted proxy proves nothing where everybody is believed", Config{TrustedProxies: proxies}, proxy, "", []string{"acme"}, "acme", "", ProofNone},
		{"a trusted proxy's header proves the tenant", Config{TrustedProxies: proxies, TenantFrom: []Source{FromTrustedHeader}}, proxy, "", []string{"acme"}, "acme", "", ProofProxy},
		{"a stranger's is refused", Config{TrustedProxies: proxies, TenantFrom: []Source{FromTrustedHeader}}, stranger, "", []string{"acme"}, "", CodeTenantNotBelieved, ""},
		{"a stranger without one has no tenant", Config{TrustedProxies: proxies, TenantFrom: []Source{FromTrustedHeader}}, stranger, "", nil, "", "", ProofNone},
		{"a host name says the tenant and proves nothing", Config{TenantFrom: []Source{FromHost}, TenantHosts: hosts}, stranger, "Acme.Shop.Example.:8080", nil, "acme", "", ProofNone},
		{"not even behind a trusted proxy", Config{TrustedProxies: proxies, TenantFrom: []Source{FromHost}, TenantHosts: hosts}, proxy, "acme.shop.example", nil, "acme", "", ProofNone},
		{"another host name says nothing", Config{TenantFrom: []Source{FromHost}, TenantHosts: hosts}, stranger, "shop.example", nil, "", "", ProofNone},
		{"nor does one with more labels", Config{TenantFrom: []Source{FromHost}, TenantHosts: hosts}, stranger, "a.acme.shop.example", nil, "", "", ProofNone},
		{"a header that the host name contradicts is refused", Config{TenantFrom: []Source{FromHost}, TenantHosts: hosts}, stranger, "acme.shop.example", []string{"globex"}, "", CodeTenantNotBelieved, ""},
		{"one that says the same is not", Config{TenantFrom: []Source{FromHost}, TenantHosts: hosts}, stranger, "acme.shop.example", []string{"acme"}, "acme", "", ProofNone},
		{"a believed header that the host name contradicts is refused", Config{TenantFrom: []Source{FromHeader, FromHost}, TenantHosts: hosts}, stranger, "acme.shop.example", []string{"globex"}, "", CodeTenantAmbiguous, ""},
		{"an empty header is a tenant that does not exist", Config{}, stranger, "", []string{""}, "", "", ProofNone},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			j := judge(t, test.config)
			r := request(test.peer)
			if test.host != "" {
				r.Host = test.host
			}
			for _, value := range test.headers {
				r.Header.Add(HeaderTenant, value)
			}
			origin, refused := j.Origin(r)
			require.Nil(t, refused)
			claim, refused := j.Tenant(r, origin)
			if test.code != "" {
				require.NotNil(t, refused)
				require.Equal(t, test.code, refused.Code)
				return
			}
			require.Nil(t, refused)
			require.Equal(t, Claim{Named: test.tenant != "" || len(test.headers) > 0, Tenant: test.tenant, Proof: test.proof}, claim)
		})
	}
}

func TestASettingThatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	token := func(change func(*TokenConfig)) Config {
		valid := &TokenConfig{Issuer: "https://login.example.com", Audiences: []string{"shop"}, Claim: "tenant", Cookie: "session"}
		change(valid)
		return Config{TenantFrom: []Source{FromToken}, Token: valid}
	}
	require.NoError(t, new(Config).Validate())
	valid := token(func(*TokenConfig) {})
	require.NoError(t, valid.Validate())
	for says, config := range map[string]Config{
		"10.0.0.0/8, nor an address": {TrustedProxies: []string{"proxy.example"}},
		"trusts every client":        {TrustedProxies: []string{"0.0.0.0/0"}},
		"::/0 trusts every client":   {TrustedProxies: []string{"::/0"}},
		"write the IPv4 address":     {TrustedProxies: []string{"::ffff:10.0.0.1"}},
		"10.0.0.1/8 has host bits set: write 10.0.0.0/8 for the whole network, or 10.0.0.1 for one proxy": {TrustedProxies: []string{"10.0.0.1/8"}},
		"fd00::1/8 has host bits set: write fd00::/8":                                                     {TrustedProxies: []string{"fd00::1/8"}},
		"--trusted-proxy-token-file":                                                                      {ProxyTokenHash: "00"},
		"write header, trusted-header":                                                                    {TenantFrom: []Source{"cookie"}},
		"header is given twice":                                                                           {TenantFrom: []Source{FromHeader, FromHeader}},
		"header already trusts every client":                                                              {TrustedProxies: []string{"10.0.0.0/8"}, TenantFrom: []Source{FromHeader, FromTrustedHeader}},
		"trusted-header needs --trusted-proxy":                                                            {TenantFrom: []Source{FromTrustedHeader}},
		"--tenant-host: give both":                                                                        {TenantFrom: []Source{FromHost}},
		"give both or neither":                                                                            {TenantHosts: []string{"{tenant}.shop.example"}},
		`"shop.example" is not a host name`:                                                               {TenantFrom: []Source{FromHost}, TenantHosts: []string{"shop.example"}},
		`"{tenant}" is not a host name`:                                                                   {TenantFrom: []Source{FromHost}, TenantHosts: []string{"{tenant}"}},
		`"{tenant}.{tenant}.example" is not`:                                                              {TenantFrom: []Source{FromHost}, TenantHosts: []string{"{tenant}.{tenant}.example"}},
		`"{tenant}.shop.example:80" is not`:                                                               {TenantFrom: []Source{FromHost}, TenantHosts: []string{"{tenant}.shop.example:80"}},
		"--tenant-jwt-issuer: give both":                                                                  {TenantFrom: []Source{FromToken}},
		`issuer "login" is not a URL`:                                                                     token(func(c *TokenConfig) { c.Issuer = "login" }),
		"write https":                                                                                     token(func(c *TokenConfig) { c.Issuer = "http://login.example.com" }),
		"--tenant-jwt-audience":                                                                           token(func(c *TokenConfig) { c.Audiences = nil }),
		`jwks-url "file:///keys" is not a URL`:                                                            token(func(c *TokenConfig) { c.KeysURL = "file:///keys" }),
		"--tenant-jwt-claim":                                                                              token(func(c *TokenConfig) { c.Claim = "" }),
		"not the name of a cookie":                                                                        token(func(c *TokenConfig) { c.Cookie = "a b" }),
		"no certificate in PEM":                                                                           token(func(c *TokenConfig) { c.CA = "x" }),
	} {
		require.ErrorContains(t, config.Validate(), says)
	}
}

func TestTheJudgeStaysWhileItsConfigurationDoes(t *testing.T) {
	t.Parallel()
	first := judge(t, Config{TrustedProxies: []string{"10.0.0.0/8"}})
	require.Same(t, first, first.Next(Config{TrustedProxies: []string{"10.0.0.0/8"}}, nil, nil))
	require.NotSame(t, first, first.Next(Config{}, nil, nil))
}

func TestOnlySomeSourcesProve(t *testing.T) {
	t.Parallel()
	require.False(t, (&Config{}).Proves())
	require.False(t, (&Config{TenantFrom: []Source{FromHost}}).Proves())
	require.True(t, (&Config{TenantFrom: []Source{FromTrustedHeader}}).Proves())
	require.True(t, (&Config{TenantFrom: []Source{FromHost, FromToken}}).Proves())
	require.Equal(t, http.StatusBadRequest, ambiguous("").Status)
}

package identity

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// request comes from peer. headers are keys and values in turn.
func request(peer string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://shop.internal/orders/", nil)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(peer), 4711).String()
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	return r
}

func judge(t testing.TB, config Config) *Judge {
	t.Helper()
	require.NoError(t, config.Validate())
	var none *Judge
	return none.Next(config, nil, nil)
}

func TestOnlyATrustedProxySaysWhoTheClientIs(t *testing.T) {
	t.Parallel()
	const forwardedFor, proto, host = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"
	j := judge(t, Config{TrustedProxies: []string{"10.0.0.0/8", "192.0.2.7", "fd00::/8"}})
	for _, test := range []struct {
		name, peer           string
		headers              []string
		client, scheme, host string // client: "" when it is refused
	}{
		{"a stranger is who its connection says", "203.0.113.5", []string{forwardedFor, "1.1.1.1", proto, "https", host, "evil.example"}, "203.0.113.5", "http", "shop.internal"},
		{"a stranger's garbage is not looked at", "203.0.113.5", []string{forwardedFor, "<script>"}, "203.0.113.5", "http", "shop.internal"},
		{"a proxy names its client", "10.1.2.3", []string{forwardedFor, "203.0.113.5", proto, "https", host, "Shop.Example:8443"}, "203.0.113.5", "https", "shop.example:8443"},
		{"a proxy given by its address does", "192.0.2.7", []string{forwardedFor, "203.0.113.5"}, "203.0.113.5", "http", "shop.internal"},
		{"a neighbour of it does not", "192.0.2.8", []string{forwardedFor, "203.0.113.5"}, "192.0.2.8", "http", "shop.internal"},
		{"a proxy that says nothing is the client", "10.1.2.3", nil, "10.1.2.3", "http", "shop.internal"},
		{"what the client wrote before does not count", "10.1.2.3", []string{forwardedFor, "1.1.1.1, 203.0.113.5"}, "203.0.113.5", "http", "shop.internal"},
		{"not even as garbage", "10.1.2.3", []string{forwardedFor, "unknown, 203.0.113.5"}, "203.0.113.5", "http", "shop.internal"},
		{"trusted hops are walked over", "10.1.2.3", []string{forwardedFor, "1.1.1.1, 203.0.113.5, 10.9.9.9, 192.0.2.7"}, "203.0.113.5", "http", "shop.internal"},
		{"over several lines", "10.1.2.3", []string{forwardedFor, "1.1.1.1,203.0.113.5", forwardedFor, "10.9.9.9"}, "203.0.113.5", "http", "shop.internal"},
		{"a client among the proxies is the first of them", "10.1.2.3", []string{forwardedFor, "10.7.7.7, 10.9.9.9"}, "10.7.7.7", "http", "shop.internal"},
		{"empty elements are passed over", "10.1.2.3", []string{forwardedFor, " , 203.0.113.5,, "}, "203.0.113.5", "http", "shop.internal"},
		{"an address may have a port", "10.1.2.3", []string{forwardedFor, "203.0.113.5:443"}, "203.0.113.5", "http", "shop.internal"},
		{"an IPv6 address", "fd00::1", []string{forwardedFor, "2001:db8::1"}, "2001:db8::1", "http", "shop.internal"},
		{"in brackets", "fd00::1", []string{forwardedFor, "[2001:db8::1]"}, "2001:db8::1", "http", "shop.internal"},
		{"in brackets with a port", "fd00::1", []string{forwardedFor, "[2001:db8::1]:443"}, "2001:db8::1", "http", "shop.internal"},
		{"an IPv4 address in an IPv6 one is the IPv4 address", "::ffff:10.1.2.3", []string{forwardedFor, "::ffff:203.0.113.5"}, "203.0.113.5", "http", "shop.internal"},
		{"a WebSocket's scheme", "10.1.2.3", []string{proto, "WSS"}, "10.1.2.3", "https", "shop.internal"},
		{"the same value twice", "10.1.2.3", []string{proto, "https,https", proto, "https"}, "10.1.2.3", "https", "shop.internal"},
		{"a name is refused", "10.1.2.3", []string{forwardedFor, "client.example"}, "", "", ""},
		{"unknown is refused", "10.1.2.3", []string{forwardedFor, "203.0.113.5, unknown"}, "", "", ""},
		{"a zone is refused", "10.1.2.3", []string{forwardedFor, "fe80::1%eth0"}, "", "", ""},
		{"an IPv4 address in brackets is refused", "10.1.2.3", []string{forwardedFor, "[203.0.113.5]"}, "", "", ""},
		{"garbage behind a trusted hop is refused", "10.1.2.3", []string{forwardedFor, "nobody, 10.9.9.9"}, "", "", ""},
		{"two schemes are refused", "10.1.2.3", []string{proto, "http, https"}, "", "", ""},
		{"another scheme is refused", "10.1.2.3", []string{proto, "gopher"}, "", "", ""},
		{"two hosts are refused", "10.1.2.3", []string{host, "a.example", host, "b.example"}, "", "", ""},
		{"what is no host is refused", "10.1.2.3", []string{host, "a.example/path"}, "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			origin, refused := j.Origin(request(test.peer, test.headers...))
			if test.client == "" {
				require.NotNil(t, refused)
				require.Equal(t, http.StatusBadRequest, refused.Status)
				require.Equal(t, CodeForwardedInvalid, refused.Code)
				return
			}
			require.Nil(t, refused)
			require.Equal(t, test.client, origin.Client.String())
			require.Equal(t, test.scheme, origin.Scheme)
			require.Equal(t, test.host, origin.Host)
		})
	}
}

func TestATrustedProxyIsToldFromItsNeighboursByItsToken(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{TrustedProxies: []string{"127.0.0.0/8"}, ProxyTokenHash: HashProxyToken("the secret")})
	for token, client := range map[string]string{"the secret": "203.0.113.5", "a guess": "127.0.0.1", "": "127.0.0.1"} {
		origin, refused := j.Origin(request("127.0.0.1", "X-Forwarded-For", "203.0.113.5", HeaderProxyToken, token))
		require.Nil(t, refused)
		require.Equal(t, client, origin.Client.String(), token)
	}
	origin, _ := j.Origin(request("127.0.0.1", "X-Forwarded-For", "203.0.113.5"))
	require.Equal(t, "127.0.0.1", origin.Client.String())
}

func TestByDefaultNobodyIsTrusted(t *testing.T) {
	t.Parallel()
	var j *Judge
	for _, j := range []*Judge{j, judge(t, Config{})} {
		origin, refused := j.Origin(request("127.0.0.1", "X-Forwarded-For", "203.0.113.5", "X-Forwarded-Proto", "https"))
		require.Nil(t, refused)
		require.Equal(t, Origin{Client: netip.MustParseAddr("127.0.0.1"), Scheme: "http", Host: "shop.internal"}, origin)
	}
}

// TestNoClientCanSpeakForAnother puts anything that a client can write in front of what the proxies append.
func TestNoClientCanSpeakForAnother(t *testing.T) {
	t.Parallel()
	trusted, err := parseProxies([]string{"10.0.0.0/8", "fd00::/8"})
	require.NoError(t, err)
	address := func(first string) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("%s.%d.%d.%d", first, rapid.IntRange(0, 255).Draw(t, "b"), rapid.IntRange(0, 255).Draw(t, "c"), rapid.IntRange(1, 254).Draw(t, "d"))
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.SliceOfN(rapid.OneOf(rapid.String(), address("10"), address("203")), 0, 4).Draw(t, "written by the client")
		client := address("198").Draw(t, "client")
		hops := rapid.SliceOfN(address("10"), 0, 4).Draw(t, "proxies")
		elements := append(append(written, client), hops...)
		// A proxy appends to the line that it got, or adds one.
		cut := rapid.IntRange(0, len(elements)).Draw(t, "cut")
		var lines []string
		for _, part := range [][]string{elements[:cut], elements[cut:]} {
			if len(part) > 0 {
				lines = append(lines, strings.Join(part, rapid.SampledFrom([]string{",", ", ", " , "}).Draw(t, "comma")))
			}
		}
		got, err := trusted.client(netip.MustParseAddr("10.0.0.1"), lines)
		require.NoError(t, err)
		require.Equal(t, client, got.String())
	})
}

func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{"203.0.113.5", "1.1.1.1, 10.0.0.2", "[2001:db8::1]:443,10.0.0.1:80", "unknown", ",,", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.1:"} {
		f.Add(seed)
	}
	trusted, err := parseProxies([]string{"10.0.0.0/8"})
	require.NoError(f, err)
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, line string) {
		client, err := trusted.client(peer, []string{line})
		if err != nil {
			require.Equal(t, netip.Addr{}, client, "what is refused names nobody")
			return
		}
		require.True(t, client.IsValid())
		require.False(t, client.Is4In6())
		require.Empty(t, client.Zone())
		if client != peer {
			// Whoever is named stands in the line, and all behind it are trusted.
			elements := strings.Split(line, ",")
			for i := len(elements) - 1; ; i-- {
				require.GreaterOrEqual(t, i, 0)
				address, err := parseElement(strings.Trim(elements[i], " \t"))
				if strings.Trim(elements[i], " \t") == "" {
					continue
				}
				require.NoError(t, err)
				if address == client {
					break
				}
				require.True(t, trusted.contain(address))
			}
		}
	})
}

package daemon

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// testMachine is a machine with one address beside loopback.
func testMachine(t testing.TB) machine {
	var all []net.Addr
	for _, text := range []string{"127.0.0.1/8", "::1/128", "192.0.2.7/24", "2001:db8::7/64"} {
		ip, network, err := net.ParseCIDR(text)
		require.NoError(t, err)
		all = append(all, &net.IPNet{IP: ip, Mask: network.Mask})
	}
	return machine{"Node-7", func() ([]net.Addr, error) { return all, nil }}
}

func TestAnAddressOfOursIsKnownHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	m := testMachine(t)
	for _, test := range []struct {
		target, listen string
		want           bool
	}{
		{"127.0.0.1:7700", "127.0.0.1:7700", true},
		{"localhost:7700", "127.0.0.1:7700", true},
		{"LocalHost.:7700", "127.0.0.1:7700", true},
		{"app.localhost:7700", "127.0.0.1:7700", true},
		{"0.0.0.0:7700", "127.0.0.1:7700", true},
		{"[::]:7700", "127.0.0.1:7700", true},
		{"[::ffff:127.0.0.1]:7700", "127.0.0.1:7700", true},
		{"127.0.0.1:7700", "localhost:7700", true},
		{"node-7:7700", "127.0.0.1:7700", true},
		{"[::1]:7700", "[::1]:7700", true},
		{"127.0.0.1:8080", "127.0.0.1:7700", false},
		{"127.0.0.2:7700", "127.0.0.1:7700", false},
		{"[::1]:7700", "127.0.0.1:7700", false},
		{"192.0.2.7:7700", "127.0.0.1:7700", false},
		{"example.com:7700", "127.0.0.1:7700", false},
		{"127.0.0.1", "127.0.0.1:7700", false},
		{"127.0.0.1:7700", "0.0.0.0:7700", true},
		{"127.0.0.1:7700", ":7700", true},
		{"127.0.0.1:7700", "[::]:7700", true},
		{"[::1]:7700", "[::]:7700", true},
		{"localhost:7700", "[::]:7700", true},
		{"192.0.2.7:7700", "0.0.0.0:7700", true},
		{"[2001:db8::7]:7700", "[::]:7700", true},
		{"node-7:7700", "[::]:7700", true},
		{"192.0.2.8:7700", "0.0.0.0:7700", false},
		{"192.0.2.7:7700", "192.0.2.7:7700", true},
		{"127.0.0.1:7700", "192.0.2.7:7700", false},
	} {
		require.Equal(t, test.want, m.reaches(test.target, test.listen), "%s at %s", test.target, test.listen)
	}
}

func TestABackendIsNotThePlatformItself(t *testing.T) {
	t.Parallel()
	own := []ownAddress{
		{"the global entry", "127.0.0.1:7780"}, {"the API of this control plane", "[::]:7700"},
		{"the gateway of region eu-west", "127.0.0.1:20001"}, {"the entry over HTTP", "127.0.0.1:80"},
	}
	for url, says := range map[string]string{
		"http://127.0.0.1:8080":               "", // as in README.md
		"https://monolith.example.internal":   "",
		"http://127.0.0.1:7780":               "the global entry",
		"http://localhost:7780/x":             "the global entry",
		"http://[::ffff:7f00:1]:7780":         "the global entry",
		"http://0.0.0.0:7780":                 "the global entry",
		"http://127.0.0.1":                    "the entry over HTTP",
		"https://192.0.2.7:7700":              "the API of this control plane",
		"http://127.0.0.1:20001":              "the gateway of region eu-west",
		"http://127.0.0.1:20002":              "",
		"HTTP://LOCALHOST:7780":               "the global entry",
		"http://monolith.example.internal:80": "",
	} {
		spec := &synapse.TrafficSplitSpec{Backends: map[string]synapse.SplitBackend{"old": {URL: url}, "new": {Deployment: "auth/v1"}}}
		errs := checkBackendURLs(spec, testMachine(t), own)
		if says == "" {
			require.Empty(t, errs, url)
			continue
		}
		require.Len(t, errs, 1, url)
		require.Equal(t, "/spec/backends/old/url", errs[0].Pointer)
		require.Contains(t, errs[0].Message, says)
		require.Contains(t, errs[0].Message, "508")
	}
}

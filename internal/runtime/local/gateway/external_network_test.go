package gateway

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

func TestNoBackendIsAtALinkLocalAddress(t *testing.T) {
	t.Parallel()
	for address, refused := range map[string]bool{
		"169.254.169.254:80": true, "[::ffff:169.254.169.254]:80": true, "[fe80::1%eth0]:80": true, "nonsense": true,
		"127.0.0.1:80": false, "[::1]:80": false, "10.0.0.1:443": false, "[2001:db8::1]:80": false,
	} {
		require.Equal(t, refused, refuseLinkLocal("tcp", address, nil) != nil, address)
	}
	connection, err := externalNetwork().Dial(t.Context(), forward.Target{Address: "169.254.169.254:80"})
	require.Nil(t, connection)
	require.ErrorContains(t, err, "link-local")

	config, _ := splitting(t, 0)
	config.Splits[0].Backends["monolith"] = SplitBackend{URL: "http://169.254.169.254", ReplacePrefix: "/", Weight: 100}
	region := newRegionServer(t, config)
	require.Equal(t, http.StatusServiceUnavailable, send(t, http.MethodGet, region.URL+"/auth/x", "").Status)
}

package image

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// loopbackHTTP refuses requests without TLS that would leave this machine. The registry client by itself would send them to
// any private address and to redirects.
type loopbackHTTP struct{ next http.RoundTripper }

func (t loopbackHTTP) RoundTrip(request *http.Request) (*http.Response, error) {
	if host := request.URL.Hostname(); request.URL.Scheme != "https" && !isLoopback(host) {
		return nil, fmt.Errorf("registry %s does not offer HTTPS: plain HTTP is for registries on this machine only", host)
	}
	return t.next.RoundTrip(request)
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// remoteOptions are those of every request. There are few retries, for the reconcilers retry too.
func remoteOptions(ctx context.Context, credentials remote.Option) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx),
		credentials,
		remote.WithTransport(loopbackHTTP{remote.DefaultTransport}),
		remote.WithRetryBackoff(remote.Backoff{Duration: 100 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 3}),
		remote.WithUserAgent("synapse"),
	}
}

func authOption(authenticator authn.Authenticator, keychain authn.Keychain) remote.Option {
	if authenticator != nil {
		return remote.WithAuth(authenticator)
	}
	return remote.WithAuthFromKeychain(keychain)
}

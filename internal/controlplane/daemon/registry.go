package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// runtimeToken is the name of the token by which the runtime pulls from the registry of this very daemon.
const runtimeToken = "synapsed-runtime"

// newInternalToken makes a token that only this run of the daemon knows, in place of the one of the run before.
func newInternalToken(ctx context.Context, s store.Tokens) (string, error) {
	if err := s.DeleteToken(ctx, runtimeToken); err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	secret := api.NewSecret()
	return secret, s.InsertToken(ctx, synapse.Token{Name: runtimeToken, Role: synapse.RoleViewer, CreatedAt: time.Now().UTC()}, api.HashSecret(secret))
}

// registryAddress is HOST:PORT by which clients name images in this daemon's registry. A daemon that listens on every address of
// its machine has no address that an image reference could have. It is then called by a name that its certificate is for, which
// clients can check, and by loopback where there is none. certificate is nil without TLS.
func registryAddress(listen string, certificate *certfile.Certificate) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("finding the address of the registry: %w", err)
	}
	if host != "" && !address(host).IsUnspecified() {
		return listen, nil
	}
	host = loopback4.String()
	if certificate != nil {
		leaf := certificate.Leaf()
		names := slices.DeleteFunc(slices.Clone(leaf.DNSNames), func(name string) bool { return strings.HasPrefix(name, "*") })
		switch {
		case len(names) > 0:
			host = names[0]
		case len(leaf.IPAddresses) > 0:
			host = leaf.IPAddresses[0].String()
		}
	}
	return net.JoinHostPort(host, port), nil
}

// ownRegistry is the keychain for the daemon's own registry, however it is spelled.
type ownRegistry struct {
	machine machine
	// address is what clients are told, listen where the daemon listens.
	address, listen, token string
}

// Resolve implements [authn.Keychain].
func (r ownRegistry) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	if named := resource.RegistryStr(); named != r.address && !r.machine.reaches(named, r.listen) {
		return authn.Anonymous, nil
	}
	return &authn.Basic{Username: "synapse", Password: r.token}, nil
}

package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

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

// ownRegistry is the keychain for the daemon's own registry.
type ownRegistry struct{ address, token string }

// Resolve implements [authn.Keychain].
func (r ownRegistry) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	if resource.RegistryStr() != r.address {
		return authn.Anonymous, nil
	}
	return &authn.Basic{Username: "synapse", Password: r.token}, nil
}

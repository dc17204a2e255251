package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// secretPrefix lets scanners for leaked secrets recognise a token.
const secretPrefix = "synapse_"

// HashSecret is how a token is kept: a hash of its secret. A plain SHA-256 is enough for a secret of 130 random bits,
// and looking it up by hash leaks nothing through time.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewSecret returns the secret of a new token.
func NewSecret() string { return secretPrefix + rand.Text() }

// IssueToken makes a token and stores its hash. The request must be valid. A name that is taken is [store.ErrExists].
func IssueToken(ctx context.Context, tokens store.Tokens, now time.Time, request synapse.TokenRequest) (synapse.IssuedToken, error) {
	now = now.UTC().Truncate(time.Microsecond)
	issued := synapse.IssuedToken{
		Token:  synapse.Token{Name: request.Name, Role: request.Role, CreatedAt: now},
		Secret: NewSecret(),
	}
	if request.TTL != "" {
		issued.ExpiresAt = new(now.Add(request.TTL.Value()))
	}
	if err := tokens.InsertToken(ctx, issued.Token, HashSecret(issued.Secret)); err != nil {
		return synapse.IssuedToken{}, fmt.Errorf("storing token %q: %w", request.Name, err)
	}
	return issued, nil
}

// tokenCacheTime is for how long a token is taken as known: a token that another daemon deletes works for so long here.
const tokenCacheTime = 5 * time.Second

// maxCachedTokens bounds the cache's memory.
const maxCachedTokens = 1024

// tokenCache saves a read of the store for each request. Only tokens that exist are kept, so guessing fills nothing.
type tokenCache struct {
	tokens store.Tokens
	now    func() time.Time

	mu    sync.Mutex
	known map[string]cachedToken
	// cleared counts calls of clear, so that a token read before one is not kept after it.
	cleared int
}

type cachedToken struct {
	token synapse.Token
	until time.Time
}

func newTokenCache(tokens store.Tokens, now func() time.Time) *tokenCache {
	return &tokenCache{tokens: tokens, now: now, known: map[string]cachedToken{}}
}

// find returns the token with a hash, or [store.ErrNotFound] when there is none or it has expired.
func (c *tokenCache) find(ctx context.Context, hash string) (synapse.Token, error) {
	now := c.now()
	c.mu.Lock()
	cached, ok := c.known[hash]
	cleared := c.cleared
	c.mu.Unlock()
	if !ok || now.After(cached.until) {
		token, err := c.tokens.TokenByHash(ctx, hash)
		if err != nil {
			return synapse.Token{}, err
		}
		cached = cachedToken{token: token, until: now.Add(tokenCacheTime)}
		c.keep(hash, cached, cleared)
	}
	if cached.token.ExpiresAt != nil && !now.Before(*cached.token.ExpiresAt) {
		return synapse.Token{}, store.ErrNotFound
	}
	return cached.token, nil
}

func (c *tokenCache) keep(hash string, cached cachedToken, cleared int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cleared != cleared {
		return
	}
	if len(c.known) >= maxCachedTokens {
		clear(c.known)
	}
	c.known[hash] = cached
}

// clear forgets all tokens, after one was deleted.
func (c *tokenCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.known)
	c.cleared++
}

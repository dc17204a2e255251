package identity

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"crypto/tls"

	"github.com/go-jose/go-jose/v4"
)

const (
	// keysFresh is how long keys are used before they are asked for again, beside the requests that wait for nothing.
	keysFresh = 5 * time.Minute
	// keysOld is how long keys are used without a look at whether they are the issuer's still: a request waits for that then.
	// When the issuer cannot be reached, the last keys go on, and nobody waits again until it can.
	keysOld = time.Hour
	// keysPause is the least time between two looks: tokens with made-up keys must not become requests to the issuer.
	keysPause = 10 * time.Second
	// keysTimeout bounds one look, and with it what a request waits.
	keysTimeout = 5 * time.Second
	// maxDocument is far above what any issuer has.
	maxDocument = 1 << 20
	// minRSABits is the least that NIST SP 800-131A allows.
	minRSABits = 2048
)

var errNoKeys = errors.New("the issuer's keys were never obtained")

// keySet are the issuer's keys at one time. It is immutable.
type keySet struct {
	document []byte
	byID     map[string][]jose.JSONWebKey
	all      []jose.JSONWebKey
}

// keys holds the issuer's keys, and looks for new ones when it has to.
type keys struct {
	source keySource
	now    func() time.Time
	log    *slog.Logger

	current atomic.Pointer[keySet]
	fetched atomic.Int64 // when, in nanoseconds; 0 never

	mu        sync.Mutex
	attempted time.Time
	looking   chan struct{} // closed at the end of the look in progress; nil without one
	failing   atomic.Bool   // the last look found nothing
}

// find returns the keys with an ID, or all when the token names none.
func (k *keys) find(ctx context.Context, id string) ([]jose.JSONWebKey, *keySet, error) {
	set := k.current.Load()
	age := k.now().Sub(time.Unix(0, k.fetched.Load()))
	if age < 0 { // the clock was set back: how old they are is not known
		age = keysOld
	}
	if set != nil && (age < keysOld || k.failing.Load()) && (id == "" || len(set.byID[id]) > 0) {
		if age >= keysFresh {
			k.look()
		}
		return set.with(id), set, nil
	}
	return k.findAnew(ctx, id)
}

// findAnew waits for a look at the issuer's keys, unless the last one was just now.
func (k *keys) findAnew(ctx context.Context, id string) ([]jose.JSONWebKey, *keySet, error) {
	if looking := k.look(); looking != nil {
		select {
		case <-looking:
		case <-ctx.Done():
		}
	}
	set := k.current.Load()
	if set == nil {
		return nil, nil, errNoKeys
	}
	return set.with(id), set, nil
}

// look begins to fetch the keys, and returns what is closed when that has ended; nil when it is too soon.
func (k *keys) look() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.looking != nil {
		return k.looking
	}
	now := k.now()
	// A look that was in the future was before the clock was set back.
	if since := now.Sub(k.attempted); !k.attempted.IsZero() && since >= 0 && since < keysPause {
		return nil
	}
	k.attempted = now
	looking := make(chan struct{})
	k.looking = looking
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
		defer cancel()
		set, err := k.source.fetch(ctx)
		k.failing.Store(err != nil)
		if err != nil {
			k.log.Warn("the issuer's keys cannot be fetched; the last known ones stay in use", "error", err)
		} else {
			if current := k.current.Load(); current == nil || !bytes.Equal(current.document, set.document) {
				k.current.Store(set)
				k.log.Info("the issuer's keys were loaded", "keys", len(set.all))
			}
			k.fetched.Store(k.now().UnixNano())
		}
		k.mu.Lock()
		k.looking = nil
		k.mu.Unlock()
		close(looking)
	}()
	return looking
}

func (s *keySet) with(id string) []jose.JSONWebKey {
	if id == "" {
		return s.all
	}
	return s.byID[id]
}

// parseKeys reads a JSON Web Key Set (RFC 7517, 5). Keys that cannot verify a signature are passed over.
func parseKeys(document []byte) (*keySet, error) {
	var wire struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &wire); err != nil {
		return nil, errors.New("the answer is not a JSON Web Key Set")
	}
	set := &keySet{document: document, byID: map[string][]jose.JSONWebKey{}}
	for _, text := range wire.Keys {
		var key jose.JSONWebKey
		// RFC 7517, 5: kinds of keys that are not understood are passed over.
		if json.Unmarshal(text, &key) != nil || !key.Valid() || (key.Use != "" && key.Use != "sig") {
			continue
		}
		key = key.Public() // invalid for a symmetric key, which nobody may publish
		if small, ok := key.Key.(*rsa.PublicKey); !key.Valid() || ok && small.N.BitLen() < minRSABits {
			continue
		}
		set.all = append(set.all, key)
		set.byID[key.KeyID] = append(set.byID[key.KeyID], key)
	}
	if len(set.all) == 0 {
		return nil, errors.New("the JSON Web Key Set has no public key for signatures")
	}
	return set, nil
}

// keySource is where the keys are.
type keySource struct {
	issuer, url string // url: empty to discover it
	client      *http.Client
}

func newKeySource(config TokenConfig) keySource {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if pool, err := authorities(config.CA); err == nil && pool != nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	return keySource{issuer: config.Issuer, url: config.KeysURL, client: &http.Client{Transport: transport, CheckRedirect: checkRedirect}}
}

// maxRedirects bounds how often an issuer may send elsewhere.
const maxRedirects = 3

// checkRedirect holds an issuer's server to what its own address is held to.
func checkRedirect(next *http.Request, before []*http.Request) error {
	if len(before) > maxRedirects {
		return errors.New("too many redirects")
	}
	return checkKeysURL("the redirect to", next.URL.String())
}

// authorities parses certificates in PEM; nil for none.
func authorities(text string) (*x509.CertPool, error) {
	if text == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		return nil, errors.New("--tenant-jwt-ca: the file has no certificate in PEM")
	}
	return pool, nil
}

func (s keySource) fetch(ctx context.Context) (*keySet, error) {
	address := s.url
	if address == "" {
		var err error
		if address, err = s.discover(ctx); err != nil {
			return nil, err
		}
	}
	document, _, err := s.get(ctx, address)
	if err != nil {
		return nil, err
	}
	set, err := parseKeys(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return set, nil
}

// discover asks for the issuer's discovery document: OpenID Connect Discovery 1.0, 4. An issuer without one has its keys at
// the usual place.
func (s keySource) discover(ctx context.Context) (string, error) {
	base := strings.TrimSuffix(s.issuer, "/") + "/.well-known/"
	document, status, err := s.get(ctx, base+"openid-configuration")
	if status == http.StatusNotFound {
		return base + "jwks.json", nil
	}
	if err != nil {
		return "", err
	}
	var found struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if json.Unmarshal(document, &found) != nil || found.Issuer != s.issuer {
		return "", fmt.Errorf("%sopenid-configuration does not describe the issuer %q: set --tenant-jwt-issuer exactly as in that document", base, s.issuer)
	}
	if err := checkKeysURL("jwks_uri", found.Keys); err != nil {
		return "", fmt.Errorf("%sopenid-configuration: %w", base, err)
	}
	return found.Keys, nil
}

// get reads a document. The status is that of the answer, 0 without one.
func (s keySource) get(ctx context.Context, address string) (document []byte, status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	document, err = io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", address, response.Status)
	}
	if err == nil && len(document) > maxDocument {
		err = fmt.Errorf("%s answers more than %d bytes", address, maxDocument)
	}
	return document, response.StatusCode, err
}

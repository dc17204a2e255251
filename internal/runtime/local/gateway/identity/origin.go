package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// HeaderProxyToken is what a trusted proxy sends where the platform asks for a token.
const HeaderProxyToken = "X-Synapse-Proxy-Token"

const (
	headerForwardedFor   = "X-Forwarded-For"
	headerForwardedHost  = "X-Forwarded-Host"
	headerForwardedProto = "X-Forwarded-Proto"
)

// Origin is where a request came from and what it was sent to.
type Origin struct {
	// Client is the address of the client; the zero address, which no policy allows, when nobody knows.
	Client netip.Addr
	// Scheme is http or https, as the client used it.
	Scheme string
	// Host is the host name, maybe with a port, that the client asked for.
	Host string
	// Trusted says that the peer is a trusted proxy.
	Trusted bool
}

// Peer is the origin of a request as its connection says it.
func Peer(r *http.Request) Origin {
	origin := Origin{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		origin.Scheme = "https"
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		origin.Client = peer.Addr().Unmap().WithZone("")
	}
	return origin
}

// Origin says where a request came from. A peer that is no trusted proxy says nothing but what its connection says.
func (j *Judge) Origin(r *http.Request) (Origin, *Refusal) {
	origin := Peer(r)
	if j == nil || len(j.proxies) == 0 || !j.proxies.contain(origin.Client) || !j.hasProxyToken(r) {
		return origin, nil
	}
	origin.Trusted = true
	client, err := j.proxies.client(origin.Client, r.Header[headerForwardedFor])
	if err != nil {
		return origin, badForwarded(err)
	}
	origin.Client = client
	if proto, err := only(headerForwardedProto, r.Header[headerForwardedProto]); err != nil {
		return origin, badForwarded(err)
	} else if proto != "" {
		switch proto {
		case "http", "ws":
			origin.Scheme = "http"
		case "https", "wss":
			origin.Scheme = "https"
		default:
			return origin, badForwarded(errors.New(headerForwardedProto + " is neither http nor https"))
		}
	}
	if host, err := only(headerForwardedHost, r.Header[headerForwardedHost]); err != nil {
		return origin, badForwarded(err)
	} else if host != "" {
		if !isHost(host) {
			return origin, badForwarded(errors.New(headerForwardedHost + " is not a host name"))
		}
		origin.Host = host
	}
	return origin, nil
}

func (j *Judge) hasProxyToken(r *http.Request) bool {
	if j.proxyToken == "" {
		return true
	}
	given := r.Header[HeaderProxyToken]
	return len(given) == 1 && subtle.ConstantTimeCompare([]byte(HashProxyToken(given[0])), []byte(j.proxyToken)) == 1
}

// HashProxyToken is what [Config] keeps of a token.
func HashProxyToken(token string) string {
	hash := sha256.Sum256([]byte(token))
	return hex.EncodeToString(hash[:])
}

// only returns the one value, in small letters, that all elements of a header have, or "" when it has none. Which of several
// would count depends on the proxies that added them, so they are not guessed.
func only(name string, lines []string) (string, error) {
	value := ""
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			element = strings.ToLower(strings.Trim(element, " \t"))
			if element == "" || element == value {
				continue
			}
			if value != "" {
				return "", errors.New(name + " has conflicting values: the trusted proxy must overwrite it, not append to it")
			}
			value = element
		}
	}
	return value, nil
}

// isHost reports whether a text can be a Host header: RFC 3986, 3.2.2, without what no host name on the web has.
func isHost(text string) bool {
	if len(text) > 255+len(":65535") {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~:[]", c) >= 0:
		default:
			return false
		}
	}
	return HostName(text) != ""
}

func badForwarded(err error) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Code: CodeForwardedInvalid, Detail: err.Error()}
}

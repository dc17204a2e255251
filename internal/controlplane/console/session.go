package console

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

const (
	sessionCookie   = "synapse_console"
	sessionLifetime = 12 * time.Hour
	// maxSessions bounds the memory; the session that began first makes room for a new one.
	maxSessions = 1000
)

// session is somebody who is signed in. The secret stays here: the browser gets a random id instead.
type session struct {
	secret  string
	expires time.Time
}

// sessionKey is the hash of a session's id: looking it up tells nothing of the id through time.
type sessionKey [sha256.Size]byte

func keyOf(id string) sessionKey { return sha256.Sum256([]byte(id)) }

// sessions are all who are signed in at this daemon. A restart signs everybody out.
type sessions struct {
	now func() time.Time

	mu     sync.Mutex
	active map[sessionKey]session
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, active: map[sessionKey]session{}}
}

// begin starts a session and returns its id.
func (s *sessions) begin(secret string) string {
	id, now := rand.Text(), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.active[keyOf(id)] = session{secret: secret, expires: now.Add(sessionLifetime)}
	return id
}

func (s *sessions) makeRoom(now time.Time) {
	if len(s.active) < maxSessions {
		return
	}
	var oldest sessionKey
	earliest := now.Add(2 * sessionLifetime)
	for key, active := range s.active {
		if !now.Before(active.expires) {
			delete(s.active, key)
		} else if active.expires.Before(earliest) {
			oldest, earliest = key, active.expires
		}
	}
	if len(s.active) >= maxSessions {
		delete(s.active, oldest)
	}
}

// secret returns the token's secret that a session was begun with.
func (s *sessions) secret(id string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.active[keyOf(id)]
	if !ok || !s.now().Before(found.expires) {
		delete(s.active, keyOf(id))
		return "", false
	}
	return found.secret, true
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, keyOf(id))
}

// setCookie gives a session's id to the browser; an empty id takes it away.
func (c *console) setCookie(w http.ResponseWriter, id string) {
	age := int(sessionLifetime.Seconds())
	if id == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure exactly where the console is served by TLS
		Name: sessionCookie, Value: id, Path: "/console", MaxAge: age,
		HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode,
	})
}

// sessionID returns the id that a request carries, or "".
func sessionID(r *http.Request) string {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// thinkTime is the time between two requests of a user; with 120 users that is 120 requests a second.
	thinkTime = time.Second
	// visit is how many requests a user sends before another one, without cookies, takes the place: of 120 users alone, it
	// might be that none is among the first percent.
	visit = 5
)

// users are clients that check their sessions through the global entry, each with cookies of its own, as browsers do.
type users struct {
	url     string
	clients []user
	done    sync.WaitGroup

	mu       sync.Mutex
	tally    tally
	lastGood time.Time
	outage   time.Duration
}

type user struct {
	tenant, token string
	http          *http.Client
}

// tally counts answers by the backend that gave them, and failures, whoever caused them.
type tally struct {
	by     map[string]int
	failed int
}

// logIn logs one account of each tenant in. Its users, so many of each tenant, share its session and nothing else: a login
// takes a tenth of a second of computing. Patience is how long they wait for an answer.
func (d Demo) logIn(ctx context.Context, each int, patience time.Duration, tenants ...string) (*users, error) {
	all := &users{url: d.entry() + "/auth/session"}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = each * len(tenants)
	for _, tenant := range tenants {
		token, err := sessionToken(ctx, d.entry(), tenant)
		if err != nil {
			return nil, fmt.Errorf("logging in at tenant %s: %w", tenant, err)
		}
		for range each {
			all.clients = append(all.clients, user{tenant: tenant, token: token, http: &http.Client{Transport: transport, Timeout: patience}})
		}
	}
	return all, nil
}

func sessionToken(ctx context.Context, entry, tenant string) (string, error) {
	body := fmt.Sprintf(`{"email": "ada@%s.example", "password": "correct horse"}`, tenant)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, entry+"/auth/login", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Synapse-Tenant", tenant)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s %w", response.Status, bytes.TrimSpace(answer), errOr(err, "not logged in"))
	}
	var created struct{ Token string }
	return created.Token, json.Unmarshal(answer, &created)
}

// start lets the users work until ctx ends.
func (u *users) start(ctx context.Context) {
	for i, client := range u.clients {
		u.done.Go(func() {
			// Spread over the first second, so that they do not all come at once.
			pause := time.NewTimer(thinkTime * time.Duration(i) / time.Duration(len(u.clients)))
			defer pause.Stop()
			for n := i; ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-pause.C:
				}
				if n%visit == 0 {
					client.http.Jar = newJar()
				}
				backend, err := client.check(ctx, u.url)
				if ctx.Err() != nil {
					return
				}
				u.count(backend, err != nil)
				pause.Reset(thinkTime)
			}
		})
	}
}

func newJar() http.CookieJar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil // a client without cookies is still a user
	}
	return jar
}

func (u *users) wait() { u.done.Wait() }

// check sends one request, and says which backend answered and whether that went well.
func (u user) check(ctx context.Context, url string) (backend string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Synapse-Tenant", u.tenant)
	request.Header.Set("Authorization", "Bearer "+u.token)
	response, err := u.http.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return "", err
	}
	backend = response.Header.Get("X-Synapse-Backend")
	if response.StatusCode != http.StatusOK {
		return backend, fmt.Errorf("answered %s", response.Status)
	}
	return backend, nil
}

func (u *users) count(backend string, failed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := tally{by: map[string]int{backend: 1}}
	if failed {
		one.failed = 1
	} else {
		u.outage = u.outageUntil(time.Now())
		u.lastGood = time.Now()
	}
	u.tally.add(one)
}

// takeOutage returns the longest time, since the last call, in which none of the users got a good answer.
func (u *users) takeOutage() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	longest := u.outageUntil(time.Now())
	u.outage = 0
	return longest.Round(time.Millisecond)
}

func (u *users) outageUntil(now time.Time) time.Duration {
	if u.lastGood.IsZero() {
		return 0
	}
	return max(u.outage, now.Sub(u.lastGood))
}

// take returns what was counted since the last call.
func (u *users) take() tally {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.tally
	u.tally = tally{}
	return taken
}

func (t *tally) add(other tally) {
	if t.by == nil {
		t.by = map[string]int{}
	}
	for backend, n := range other.by {
		t.by[backend] += n
	}
	t.failed += other.failed
}

func (t *tally) answers() int {
	sum := 0
	for _, n := range t.by {
		sum += n
	}
	return sum
}

// String is like "auth 12, monolith 108, failed 0".
func (t tally) String() string {
	var parts []string
	for _, backend := range slices.Sorted(maps.Keys(t.by)) {
		name := backend
		if name == "" {
			name = "no split"
		}
		parts = append(parts, fmt.Sprintf("%s %d", name, t.by[backend]))
	}
	return strings.Join(append(parts, fmt.Sprintf("failed %d", t.failed)), ", ")
}

func errOr(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return err
}

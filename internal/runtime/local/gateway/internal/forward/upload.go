package forward

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ReadBody reads the body of a request, whose length is known, into memory. It must come within a limit; 0 is none. A body that
// does not is [ErrRequestTimeout].
func ReadBody(w http.ResponseWriter, r *http.Request, limit time.Duration) ([]byte, error) {
	body := &upload{controller: http.NewResponseController(w), body: r.Body}
	body.until(limit)
	content := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, content); err != nil {
		return nil, body.explain(fmt.Errorf("read the request's body: %w", err))
	}
	body.until(0)
	return content, nil
}

// upload is the body of a request, which may pause for so long and no longer.
type upload struct {
	controller *http.ResponseController
	body       io.Reader
	pause      time.Duration // 0: as long as it likes

	mu          sync.Mutex // orders what sets deadlines
	reading     bool
	interrupted atomic.Bool
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	u.reading = true
	u.until(u.pause)
	u.mu.Unlock()
	n, err := u.body.Read(p)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reading = false
	if err != nil {
		u.until(0) // from here on the server watches whether the client is still there
		err = u.explain(err)
	}
	return n, err
}

// extend lets a Read wait anew: the client, which is being answered, may have nothing to say for now.
func (u *upload) extend() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reading {
		u.until(u.pause)
	}
}

// interrupt ends a Read, and all that come.
func (u *upload) interrupt() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.interrupted.Store(true)
	_ = u.controller.SetReadDeadline(time.Unix(1, 0))
}

// until bounds what is read from the client; 0 is no limit. A writer without connection has none, and nothing to wait for.
func (u *upload) until(limit time.Duration) {
	if u.interrupted.Load() {
		return
	}
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	_ = u.controller.SetReadDeadline(deadline)
}

func (u *upload) explain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.Join(ErrRequestTimeout, err)
	}
	return err
}

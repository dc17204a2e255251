package forward

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
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
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	u.until(u.pause)
	n, err := u.body.Read(p)
	if err != nil {
		u.until(0) // from here on the server watches whether the client is still there
		err = u.explain(err)
	}
	return n, err
}

// until bounds what is read from the client; 0 is no limit. A writer without connection has none, and nothing to wait for.
func (u *upload) until(limit time.Duration) {
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

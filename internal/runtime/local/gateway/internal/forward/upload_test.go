package forward

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reading serves one request whose body does not end, and returns what read makes of it.
func reading(t *testing.T, read func(u *upload) error) error {
	t.Helper()
	got := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- read(&upload{controller: http.NewResponseController(w), body: r.Body, pause: time.Hour})
	}))
	t.Cleanup(server.Close)
	connection, _ := dial(t, server)
	_, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
	require.NoError(t, err)
	select {
	case err := <-got:
		return err
	case <-time.After(patience):
		return errors.New("the body is still being waited for")
	}
}

func TestABodyThatWasInterruptedIsNotWaitedForAgain(t *testing.T) {
	t.Parallel()
	err := reading(t, func(u *upload) error {
		u.interrupt()
		u.extend()
		_, err := u.Read(make([]byte, 1))
		return err
	})
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestNothingIsLimitedThatIsNotBeingRead(t *testing.T) {
	t.Parallel()
	require.NoError(t, reading(t, func(u *upload) error {
		u.pause = time.Nanosecond
		u.extend()
		u.pause = 0
		done := make(chan error, 1)
		go func() {
			_, err := u.body.Read(make([]byte, 1))
			done <- err
		}()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Millisecond):
			return nil
		}
	}))
}

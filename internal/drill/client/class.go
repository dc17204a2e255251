package client

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// classOf puts an error in a class: the whole text names ports and addresses, which differ each time.
func classOf(err error) string {
	var server *pgconn.PgError
	var lookup *net.DNSError
	var network net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &server):
		return "database refuses: SQLSTATE " + server.Code
	case errors.As(err, &lookup):
		return "unknown host"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return "connection broke"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection ended"
	}
	return "other"
}

package pgproxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// refuseTimeout is how long a client may take to say who it is, as PostgreSQL's authentication_timeout does.
	refuseTimeout = 10 * time.Second
	// maxNegotiations bounds the requests for encryption before the startup message: one for TLS and one for GSSAPI.
	maxNegotiations = 2
	// cannotConnectNow is the SQLSTATE by which clients know that trying again later helps: PostgreSQL manual,
	// appendix A, class 57.
	cannotConnectNow = "57P03"
)

// refuse tells a client in PostgreSQL's protocol why it is not connected: manual, 54.2.1 "Start-up".
func refuse(client net.Conn, reason string) error {
	if err := client.SetDeadline(time.Now().Add(refuseTimeout)); err != nil {
		return err
	}
	return refuseOn(client, reason)
}

// refuseOn declines encryption until the client sends its startup message, and answers that with an error. Until then
// a client understands nothing but one byte.
func refuseOn(client io.ReadWriter, reason string) error {
	backend := pgproto3.NewBackend(client, client)
	for range maxNegotiations + 1 {
		message, err := backend.ReceiveStartupMessage()
		if err != nil {
			return fmt.Errorf("read the startup message: %w", err)
		}
		switch message.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := client.Write([]byte{'N'}); err != nil {
				return fmt.Errorf("decline encryption: %w", err)
			}
		case *pgproto3.CancelRequest:
			return nil // takes no answer: there is nothing to cancel
		default:
			return sayCannotConnect(client, reason)
		}
	}
	return errors.New("read the startup message: too many requests for encryption")
}

// sayCannotConnect answers a startup message with the error that ends the connection.
func sayCannotConnect(client io.Writer, reason string) error {
	answer := &pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: cannotConnectNow, Message: reason,
		Hint: "Try again when a primary database is back.",
	}
	encoded, err := answer.Encode(nil)
	if err != nil {
		return fmt.Errorf("encode the refusal: %w", err)
	}
	if _, err := client.Write(encoded); err != nil {
		return fmt.Errorf("refuse the connection: %w", err)
	}
	return nil
}

package pgproxy

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

const (
	// maxStartup is the largest startup packet that PostgreSQL accepts (MAX_STARTUP_PACKET_LENGTH).
	maxStartup = 10000
	// minStartup holds the length and the code.
	minStartup = 8

	protocolMajor = 3
	sslCode       = 80877103
	gssCode       = 80877104
)

// labelPrefix begins the application_name of services' connections.
const labelPrefix = "synapse-"

// ApplicationName is the application_name by which the write endpoint knows that a connection comes from a region.
func ApplicationName(region string) string { return labelPrefix + region }

// startup is the first packet of a client: PostgreSQL manual, 54.7 "Message Formats".
type startup struct {
	raw []byte // as it came, in full or until the client stopped
	// encryption says that it asks for encryption: another first packet follows if that is declined.
	encryption bool
	region     string // from which a service says that it comes, or ""
}

// readStartup reads the first packet and not a byte more, so that raw and what is left to read are what the client sent.
// What is no startup packet is left to the server: it is read as far as that is clear. An error is that of the client's
// connection.
func readStartup(client io.Reader) (startup, error) {
	raw := make([]byte, minStartup, 256)
	n, err := io.ReadFull(client, raw[:4])
	if err != nil {
		return startup{raw: raw[:n]}, err
	}
	length := int(min(binary.BigEndian.Uint32(raw), maxStartup+1))
	if length < minStartup || length > maxStartup {
		return startup{raw: raw[:4]}, nil
	}
	if length > cap(raw) {
		raw = append(make([]byte, 0, length), raw[:4]...)
	}
	raw = raw[:length]
	if n, err = io.ReadFull(client, raw[4:]); err != nil {
		return startup{raw: raw[:4+n]}, err
	}
	s := startup{raw: raw}
	switch code := binary.BigEndian.Uint32(raw[4:]); {
	case (code == sslCode || code == gssCode) && length == minStartup:
		s.encryption = true
	case code>>16 == protocolMajor:
		s.region = regionOf(raw[minStartup:])
	}
	return s, nil
}

// regionOf finds the application_name in the parameters of a startup message: names and values that end with a zero
// byte, and an empty name after the last. The server uses the last of several.
func regionOf(parameters []byte) string {
	region := ""
	for {
		name, rest, found := bytes.Cut(parameters, []byte{0})
		if !found || len(name) == 0 {
			return region
		}
		value, rest, found := bytes.Cut(rest, []byte{0})
		if !found {
			return region
		}
		if string(name) == "application_name" {
			label, ours := strings.CutPrefix(string(value), labelPrefix)
			if region = ""; ours {
				region = label
			}
		}
		parameters = rest
	}
}

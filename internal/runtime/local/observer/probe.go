package observer

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

const (
	// HealthPath is the path of a gateway's public port that answers 200, with the region in [HeaderRegion].
	HealthPath = "/.synapse/healthz"
	// HeaderRegion names the region that answered.
	HeaderRegion = "X-Synapse-Region"
)

// sslRequest asks a PostgreSQL server for TLS: PostgreSQL manual, 54.7 "Message Formats".
var sslRequest = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

// probe looks once. Of a database that answers, it returns a tripwire.
func (o *Observer) probe(ctx context.Context, s subject) (*tripwire, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if s.component == runtime.ComponentGateway {
		return nil, o.probeGateway(ctx, s)
	}
	return o.probeDatabase(ctx, s)
}

// probeGateway asks for the region's name. Another region, or another program, that answers counts as a failure.
func (o *Observer) probeGateway(ctx context.Context, s subject) error {
	ctx = context.WithValue(ctx, regionKey{}, s.region)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+HealthPath, nil)
	if err != nil {
		return err
	}
	response, err := o.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 1<<10)); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the probe was answered %s", response.Status)
	}
	if region := response.Header.Get(HeaderRegion); region != s.region {
		return fmt.Errorf("the gateway at %s is of region %q", s.address, region)
	}
	return nil
}

// probeDatabase asks a PostgreSQL server whether it speaks TLS. The answer proves more than a connection does, which the
// kernel accepts for a server that hangs, and costs less than a login: whoever has no password may ask.
func (o *Observer) probeDatabase(ctx context.Context, s subject) (_ *tripwire, err error) {
	conn, err := o.link(s.region).Dial(ctx, s.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop(); err != nil {
			_ = conn.Close()
		}
	}()
	if _, err := conn.Write(sslRequest); err != nil {
		return nil, fmt.Errorf("ask the database at %s whether it speaks TLS: %w", s.address, err)
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("the database at %s does not answer: %w", s.address, err)
	}
	if answer[0] != 'N' && answer[0] != 'S' {
		return nil, fmt.Errorf("what answers at %s is not PostgreSQL: it says %q", s.address, answer[0])
	}
	return stretch(conn), nil
}

// tripwire is a connection to a database that stays open for as long as the server lives, or until the server is tired of
// waiting for a login. When the server is killed, it breaks at once; a server that hangs is found by the next probe.
type tripwire struct {
	conn   net.Conn
	broken chan struct{}
}

func stretch(conn net.Conn) *tripwire {
	w := &tripwire{conn, make(chan struct{})}
	go func() {
		defer close(w.broken)
		_, _ = conn.Read(make([]byte, 1))
	}()
	return w
}

// remove closes the connection. There may be none.
func (w *tripwire) remove() {
	if w != nil {
		_ = w.conn.Close()
		<-w.broken
	}
}

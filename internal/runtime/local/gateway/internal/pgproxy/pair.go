package pgproxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

const (
	// lingerTimeout is how long a client may keep its half of a connection open after the server closed its own.
	lingerTimeout = 10 * time.Second
	// chunkSize is how much is passed on at a time: PostgreSQL's own send buffer is half of it.
	chunkSize = 16 << 10
)

// pair is a client's connection and its counterpart to the primary.
type pair struct {
	client *net.TCPConn
	server *netfault.Conn
	faults *netfault.Table

	mu              sync.Mutex // guards the places, and the order in which the server's connection learns of them
	region, primary string     // where the client and the primary are, as far as it is known
}

func (p *pair) close() { _ = errors.Join(p.client.Close(), p.server.Close()) }

// leadsTo says in which region the primary is. It fails when a fault cuts the way there.
func (p *pair) leadsTo(region string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.primary = region
	return p.setPath()
}

// comesFrom says in which region the client is. It fails when a fault cuts the way from there.
func (p *pair) comesFrom(region string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.region = region
	return p.setPath()
}

// setPath puts the whole way into the connection to the server, where a fault then holds back both directions: the write
// endpoint itself is outside of all regions, so that a region that is cut off does not even reach its own database.
func (p *pair) setPath() error {
	return p.server.SetPath(netfault.Path{p.region, netfault.Outside, p.primary})
}

// copyBothWays returns when both directions have ended and both connections are closed.
func (p *pair) copyBothWays() {
	defer p.close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !p.toServer() {
			p.close()
		}
	}()
	if !forward(p.client, p.server, func() {}) {
		p.close()
	}
	// The server has said all it has to say: PostgreSQL reads nothing more from this client.
	_ = p.client.SetReadDeadline(time.Now().Add(lingerTimeout))
	<-done
}

// toServer passes on what the client says. It reports whether the other direction may go on.
func (p *pair) toServer() bool {
	region, err := p.passStartup()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return p.server.CloseWrite() == nil
	case err != nil:
		return false
	}
	return forward(p.server, p.client, func() { p.faults.Slow(region, p.server.Done()) })
}

// passStartup passes on the packets by which the client introduces itself, and returns the region that it says it comes
// from. While encryption is asked for, which the server may decline, another such packet follows.
func (p *pair) passStartup() (region string, err error) {
	for range maxNegotiations + 1 {
		first, err := readStartup(p.client)
		if first.region != "" {
			if cut := p.comesFrom(first.region); cut != nil {
				// The server has said nothing yet and now never will, so that this is all that the client hears.
				return "", errors.Join(cut, sayCannotConnect(p.client, cut.Error()))
			}
		}
		if _, failed := p.server.Write(first.raw); failed != nil {
			return "", failed
		}
		if err != nil || !first.encryption {
			return first.region, err
		}
	}
	return "", nil
}

// writeHalf is a connection of which one direction can be ended.
type writeHalf interface {
	io.Writer
	CloseWrite() error
}

// forward copies until the source ends and passes the end on. It calls before with each chunk on its way. It reports
// whether the other direction may go on.
func forward(to writeHalf, from io.Reader, before func()) bool {
	buffer := make([]byte, chunkSize)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			before()
			if _, err := to.Write(buffer[:n]); err != nil {
				return false
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return to.CloseWrite() == nil
		case err != nil:
			return false
		}
	}
}

package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	readBufferSize = 4 << 10
	// maxKeptBuffer bounds what an idle connection keeps of the memory that its largest request needed.
	maxKeptBuffer = 8 << 10
)

// conn is one connection. One goroutine at a time uses it, apart from a [pump], which only writes.
type conn struct {
	pool      *Pool
	net       net.Conn
	raw       syscall.RawConn
	reader    *bufio.Reader
	idleSince time.Time
	closed    atomic.Bool
	abort     func()
	peek      func(fd uintptr) bool
	pending   bool // what peek found

	out, head []byte // memory that is used again
	silent    bool   // nothing of the answer has come
}

func newConn(pool *Pool, connection net.Conn, raw syscall.RawConn) *conn {
	c := &conn{pool: pool, net: connection, raw: raw, reader: bufio.NewReaderSize(connection, readBufferSize)}
	c.abort = c.close
	c.peek = func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		// Anything else than "nothing there" is a byte, the end or an error.
		c.pending = !errors.Is(err, syscall.EAGAIN)
		return true
	}
	return c
}

// quiet reports whether an idle connection can be used: the server has neither closed it nor sent what nobody asked
// for, which would be taken for the answer to the next request.
func (c *conn) quiet() bool {
	return c.raw.Read(c.peek) == nil && !c.pending
}

func (c *conn) close() {
	if c.closed.CompareAndSwap(false, true) {
		_ = c.net.Close()
	}
}

// ask sends a request and reads the head of the answer.
func (c *conn) ask(ctx context.Context, request *Request) (*http.Response, error) {
	c.silent = true
	disarm := context.AfterFunc(ctx, c.abort)
	c.out = append(request.appendHead(c.out[:0]), request.Content...)
	_, err := c.net.Write(c.out)
	if cap(c.out) > maxKeptBuffer {
		c.out = nil
	}
	if err != nil {
		disarm()
		c.close()
		return nil, fmt.Errorf("send the request: %w", err)
	}
	var p *pump
	if request.Body != nil {
		p = startPump(c, request)
	}
	response, err := c.readAnswer(request, p, disarm)
	if err == nil {
		return response, nil
	}
	disarm()
	c.close()
	if p != nil {
		if broken := p.stop(request.Interrupt); broken != nil {
			return nil, broken
		}
	}
	return nil, fmt.Errorf("read the answer: %w", err)
}

// readAnswer reads the head of the final answer, and finds out what follows it.
func (c *conn) readAnswer(request *Request, p *pump, disarm func() bool) (*http.Response, error) {
	response, err := c.readHead(request, p)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusSwitchingProtocols:
		return response, attachBody(c, request, response, p, disarm)
	case p != nil:
		return nil, errors.New("the server changed the protocol before it had the whole request")
	}
	response.Body = &Upgraded{conn: c, disarm: disarm}
	return response, nil
}

// readHead reads heads until that of the final answer.
func (c *conn) readHead(request *Request, p *pump) (*http.Response, error) {
	budget := c.pool.options.MaxHeadBytes
	for {
		head, err := c.readHeadBytes(&budget)
		if err != nil {
			return nil, err
		}
		response, err := parseHead(head, request.AnswerHeader)
		if err != nil {
			return nil, err
		}
		switch {
		case response.StatusCode == http.StatusSwitchingProtocols && request.Upgrade != "", response.StatusCode >= http.StatusOK:
			return response, nil
		case response.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the server changed the protocol, which the request did not ask for")
		case response.StatusCode == http.StatusContinue:
			if p != nil {
				p.proceed()
			}
		case request.Interim != nil:
			request.Interim(response.StatusCode, response.Header)
		}
	}
}

var errHeadTooLong = errors.New("the head is too long")

// readHeadBytes reads up to the empty line, and takes what it read off the budget.
func (c *conn) readHeadBytes(budget *int) (string, error) {
	c.head = c.head[:0]
	lineStart := 0
	for {
		part, err := c.reader.ReadSlice('\n')
		if len(part) > 0 {
			c.silent = false
		}
		if *budget -= len(part); *budget < 0 {
			return "", errHeadTooLong
		}
		c.head = append(c.head, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && !c.silent:
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		}
		if line := c.head[lineStart:]; len(line) == 1 || (len(line) == 2 && line[0] == '\r') {
			break
		}
		lineStart = len(c.head)
	}
	head := string(c.head)
	if cap(c.head) > maxKeptBuffer {
		c.head = nil
	}
	return head, nil
}

// Upgraded is a connection that speaks another protocol now.
type Upgraded struct {
	conn   *conn
	disarm func() bool
}

// Read implements [io.Reader].
func (u *Upgraded) Read(p []byte) (int, error) { return u.conn.reader.Read(p) }

// Write implements [io.Writer].
func (u *Upgraded) Write(p []byte) (int, error) { return u.conn.net.Write(p) }

// CloseWrite tells the server that nothing more comes.
func (u *Upgraded) CloseWrite() error {
	if half, ok := u.conn.net.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return u.Close()
}

// Close implements [io.Closer].
func (u *Upgraded) Close() error {
	u.disarm()
	u.conn.close()
	return nil
}

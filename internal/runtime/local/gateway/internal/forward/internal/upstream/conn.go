package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
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
	leave     func()
	ctx       context.Context // of the request
	disarmed  func() bool     // ends that the end of ctx closes the connection; nil when it does not
	peek      func(fd uintptr)
	pending   bool          // what peek found
	keepFor   time.Duration // how long the server keeps it without a request, as far as it says

	out, head []byte // memory that is used again
	silent    bool   // nothing of the answer has come
	request   *Request

	mu        sync.Mutex
	answered  bool          // the head of the answer has come; from here on, only the body's reader sets deadlines
	abandoned bool          // it was closed because nobody waits for the answer any more
	idle      time.Duration // how long the answer's body may pause
	// headBy is when the wait for the head of the answer ends; zero is never. Before that, overdueNext says, it is overdue at the
	// deadline that is set now.
	headBy      time.Time
	overdueNext bool
	delivery    delivery
	// ackedBefore is what the server's system had acknowledged before the request.
	ackedBefore uint64
	stalled     atomic.Bool // it was closed because the server has stopped to read the request
}

func newConn(pool *Pool, connection net.Conn, raw syscall.RawConn) *conn {
	c := &conn{pool: pool, net: connection, raw: raw, keepFor: math.MaxInt64}
	c.reader = bufio.NewReaderSize(c, readBufferSize)
	c.leave = c.clientLeft
	c.peek = func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		// Anything else than "nothing there" is a byte, the end or an error.
		c.pending = !errors.Is(err, syscall.EAGAIN)
	}
	return c
}

// quiet reports whether an idle connection can be used: the server has neither closed it nor sent what nobody asked
// for, which would be taken for the answer to the next request.
func (c *conn) quiet() bool {
	// Control and not Read, which would heed a deadline of the request before.
	return c.raw.Control(c.peek) == nil && !c.pending
}

func (c *conn) close() {
	if c.closed.CompareAndSwap(false, true) {
		_ = c.net.Close()
	}
}

// ask sends a request and reads the head of the answer.
func (c *conn) ask(ctx context.Context, request *Request) (*http.Response, error) {
	c.silent, c.answered, c.abandoned, c.request, c.delivery = true, false, false, request, deliveryUnknown
	if !request.Idempotent() {
		c.ackedBefore = c.acknowledged()
	}
	c.ctx = ctx
	c.out = append(request.appendHead(c.out[:0]), request.Content...)
	if request.Body == nil {
		c.limitWrite(request.Limits.Response)
		c.awaitHead(request.Limits.Response)
	} else {
		c.limit(0) // the answer is waited for from the body's end on
		c.limitWrite(request.Limits.Idle)
	}
	if request.Body != nil || request.Waiter == nil {
		c.arm()
	}
	n, err := c.net.Write(c.out)
	if cap(c.out) > maxKeptBuffer {
		c.out = nil
	}
	if err != nil {
		c.disarm()
		c.noteDelivery(n, err)
		c.close()
		return nil, c.explain(fmt.Errorf("send the request: %w", err))
	}
	var p *pump
	if request.Body != nil {
		p = startPump(c, request)
	}
	response, err := c.readAnswer(request, p)
	if err == nil {
		return response, nil
	}
	c.disarm()
	c.noteDelivery(len(c.out), err)
	c.close()
	if p != nil {
		if broken := p.stop(request.Interrupt); broken != nil {
			return nil, broken
		}
	}
	return nil, c.explain(fmt.Errorf("read the answer: %w", err))
}

// explain says why there was no head of an answer.
func (c *conn) explain(err error) error {
	c.mu.Lock()
	abandoned := c.abandoned
	c.mu.Unlock()
	switch {
	case abandoned:
		return ErrAbandoned
	case c.stalled.Load():
		return fault.New(fault.IdleTimeout, errors.New("the server stopped to read the request's body"))
	case fault.Of(err) != "":
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.ResponseTimeout, err)
	}
	return fault.New(fault.ConnectionClosed, err)
}

// readAnswer reads the head of the final answer, and finds out what follows it.
func (c *conn) readAnswer(request *Request, p *pump) (*http.Response, error) {
	response, err := c.readHead(request, p)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusSwitchingProtocols:
		return response, attachBody(c, request, response, p)
	case p != nil:
		return nil, fault.New(fault.UnexpectedUpgrade, errors.New("the server changed the protocol before it had the whole request"))
	}
	c.limit(0)
	c.arm()
	response.Body = &Upgraded{conn: c, disarm: c.disarmed}
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
			return nil, fault.New(fault.MalformedResponse, err)
		}
		switch {
		case response.StatusCode == http.StatusSwitchingProtocols && request.Upgrade != "", response.StatusCode >= http.StatusOK:
			c.headCame(request.IdleFor(response))
			return response, nil
		case response.StatusCode == http.StatusSwitchingProtocols:
			return nil, fault.New(fault.UnexpectedUpgrade, errors.New("the server changed the protocol, which the request did not ask for"))
		case response.StatusCode == http.StatusContinue:
			if p != nil {
				p.proceed()
			}
		case request.Interim != nil:
			request.Interim(response.StatusCode, response.Header)
		}
	}
}

var errHeadTooLong = fault.New(fault.ResponseTooLarge, errors.New("the head is too long"))

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

package upstream

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

// Body is the body of an answer.
type Body struct {
	conn      *conn
	request   *Request
	response  *http.Response
	pump      *pump
	source    io.Reader // nil when there is nothing to read
	left      int64     // of a known length
	framing   framing
	keepAlive bool
	released  bool
	ended     error
}

type framing int

const (
	framedByLength framing = iota
	framedByChunks
	framedByClose
)

// attachBody finds out how long the body of an answer is (RFC 9112, 6.3), and refuses what another recipient may see
// differently: that is how answers are smuggled.
func attachBody(c *conn, request *Request, response *http.Response, p *pump) error {
	b := &Body{conn: c, request: request, response: response, pump: p}
	b.keepAlive = response.ProtoMinor == 1 && !HasToken(response.Header["Connection"], "close")
	c.keepFor = keptFor(response.Header["Keep-Alive"])
	codings := response.Header["Transfer-Encoding"]
	length, err := parseLength(response.Header["Content-Length"])
	if err != nil {
		return fault.New(fault.MalformedResponse, err)
	}
	if len(codings) > 0 {
		if err := checkCodings(response); err != nil {
			return fault.New(fault.MalformedResponse, err)
		}
		// Who sends two lengths, or says a thing twice, may not mean the end that was found here: what comes behind it is read
		// by nobody (RFC 9112, 6.3).
		if length >= 0 || len(codings) > 1 || !strings.EqualFold(codings[0], chunked) {
			b.keepAlive, length = false, -1
			delete(response.Header, "Content-Length")
		}
		if response.Trailer, err = announced(response.Header["Trailer"]); err != nil {
			return fault.New(fault.MalformedResponse, err)
		}
	}
	if response.StatusCode == http.StatusNoContent && (length > 0 || len(codings) > 0) {
		b.keepAlive = false // what must not be there may come, and would be taken for the next answer
	}
	response.ContentLength = length
	switch {
	case request.Method == http.MethodHead, response.StatusCode == http.StatusNoContent, response.StatusCode == http.StatusNotModified:
		b.left, b.ended, response.ContentLength = 0, io.EOF, 0
		if request.Method != http.MethodHead && (len(codings) > 0 || length > 0 && response.StatusCode == http.StatusNoContent) {
			b.keepAlive = false // the body that it must not have may come yet, and would be the next request's answer
		}
	case len(codings) > 0:
		b.framing, b.source = framedByChunks, httputil.NewChunkedReader(c.reader)
	case length >= 0:
		b.left, b.source = length, c.reader
	default:
		b.framing, b.source, b.keepAlive = framedByClose, c.reader, false
	}
	response.Body = b
	return nil
}

// keepAliveMargin is how long before the server a connection is closed here: a request must not meet the server's end of it.
const keepAliveMargin = 500 * time.Millisecond

// keptFor is how long a connection may be idle by a header Keep-Alive such as "timeout=5" (RFC 2068, 19.7.1.1).
func keptFor(values []string) time.Duration {
	for _, value := range values {
		for parameter := range strings.SplitSeq(value, ",") {
			name, seconds, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
			if n, err := strconv.ParseUint(seconds, 10, 16); err == nil && strings.EqualFold(name, "timeout") {
				return time.Duration(n)*time.Second - keepAliveMargin
			}
		}
	}
	return math.MaxInt64
}

const chunked = "chunked"

// checkCodings refuses all transfer codings but chunked. Servers that have it added twice, by a framework and by what the
// framework runs in, apply it once.
func checkCodings(response *http.Response) error {
	if response.ProtoMinor == 0 { // RFC 9112, 6.1: the framing is faulty
		return errors.New("an answer of HTTP/1.0 has Transfer-Encoding")
	}
	for _, value := range response.Header["Transfer-Encoding"] {
		for coding := range strings.SplitSeq(value, ",") {
			if !strings.EqualFold(strings.Trim(coding, " \t"), chunked) {
				return fmt.Errorf("the transfer coding %.40q is not supported", value)
			}
		}
	}
	return nil
}

// parseLength returns the one length that all values agree on, or -1 when there is none.
func parseLength(values []string) (int64, error) {
	if len(values) == 0 {
		return -1, nil
	}
	for _, other := range values[1:] {
		if other != values[0] {
			return 0, errors.New("the answer has two lengths")
		}
	}
	length, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil {
		return 0, fmt.Errorf("Content-Length %.40q is not a number of bytes", values[0])
	}
	return int64(length), nil
}

// announced returns the names of the trailer's fields. Those that frame the message cannot come after it: RFC 9110, 6.5.1.
func announced(values []string) (http.Header, error) {
	var trailer http.Header
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.Trim(name, " \t"); !isToken(name) {
				continue
			}
			name = http.CanonicalHeaderKey(name)
			if name == "Transfer-Encoding" || name == "Trailer" || name == "Content-Length" {
				return nil, fmt.Errorf("the trailer announces %s", name)
			}
			if trailer == nil {
				trailer = make(http.Header)
			}
			trailer[name] = nil
		}
	}
	return trailer, nil
}

// Ready reports whether something of the body has come already.
func (b *Body) Ready() bool { return b.conn.reader.Buffered() > 0 }

// RequestUnfinished reports whether the server answered before it had been sent the whole request, so that the client's
// connection is of no more use.
func (b *Body) RequestUnfinished() bool { return b.pump != nil && !b.pump.drained.Load() }

// Withhold keeps a request's body that still waits for the answer 100 from being sent any more.
func (b *Body) Withhold() {
	if b.pump != nil {
		b.pump.giveUp()
	}
}

// Read implements [io.Reader]. The last part comes together with [io.EOF].
func (b *Body) Read(p []byte) (int, error) {
	if b.ended != nil {
		return 0, b.ended
	}
	if b.framing == framedByLength {
		if b.left == 0 {
			b.ended = io.EOF
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), b.left)]
	}
	if b.framing != framedByLength || int64(b.conn.reader.Buffered()) < b.left {
		b.conn.limitRead(b.conn.idle)
		b.conn.arm()
	}
	n, err := b.source.Read(p)
	if n > 0 && b.pump != nil && b.request.Extend != nil && !b.pump.isDone() {
		b.request.Extend()
	}
	switch b.framing {
	case framedByLength:
		b.left -= int64(n)
		if b.left == 0 {
			err = io.EOF
		} else if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
	case framedByChunks:
		if err == io.EOF { //nolint:errorlint // an unexpected end is another error
			err = b.readTrailer()
		}
	}
	if err != nil && err != io.EOF { //nolint:errorlint // exactly that
		err = b.explain(err)
	}
	b.ended = err
	return n, err
}

// explain says why the body has no end.
func (b *Body) explain(err error) error {
	if b.pump != nil {
		if broken := b.pump.broken.Load(); broken != nil { // which has closed the connection
			return broken
		}
	}
	switch {
	case fault.Of(err) != "":
		return err
	case timedOut(err):
		return fault.New(fault.IdleTimeout, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return fault.New(fault.ConnectionClosed, err)
	case b.framing == framedByChunks && !errors.Is(err, net.ErrClosed):
		return fault.New(fault.MalformedResponse, err)
	}
	return fault.New(fault.ConnectionClosed, err)
}

// readTrailer reads what follows the last chunk and returns [io.EOF] when it is right. Its lines end as those of chunks do: a
// line feed alone is no end.
func (b *Body) readTrailer() error {
	budget := b.conn.pool.options.MaxHeadBytes
	lines, err := b.conn.readHeadBytes(&budget)
	if fault.Of(err) != "" {
		return err
	}
	if err != nil {
		if timedOut(err) {
			return fmt.Errorf("read the trailer: %w", err)
		}
		return fmt.Errorf("read the trailer: %w", errors.Join(io.ErrUnexpectedEOF, err))
	}
	if strings.Count(lines, "\n") != strings.Count(lines, "\r\n") {
		return fault.New(fault.MalformedResponse, errors.New("a line of the trailer ends with a line feed alone"))
	}
	fields, err := parseFields(lines, nil)
	if err != nil {
		return fault.New(fault.MalformedResponse, fmt.Errorf("read the trailer: %w", err))
	}
	if len(fields) > 0 {
		if b.response.Trailer == nil {
			b.response.Trailer = make(http.Header, len(fields))
		}
		for name, values := range fields {
			b.response.Trailer[name] = values
		}
	}
	return io.EOF
}

// Close implements [io.Closer]. The connection is kept for another request when this one is over in full.
func (b *Body) Close() error {
	if b.released {
		return nil
	}
	b.released = true
	complete := b.ended == io.EOF || (b.framing == framedByLength && b.left == 0) //nolint:errorlint // exactly that
	sent := b.pump == nil || b.pump.finished()
	// Once disarmed, the end of the context does not close the connection any more.
	if b.conn.disarm() && complete && sent && b.keepAlive && b.conn.reader.Buffered() == 0 {
		b.conn.pool.put(b.conn)
		return nil
	}
	b.conn.close()
	if b.pump != nil {
		_ = b.pump.stop(b.request.Interrupt) // the answer is what counts
	}
	return nil
}

package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
)

// Body is the body of an answer.
type Body struct {
	conn      *conn
	request   *Request
	response  *http.Response
	pump      *pump
	disarm    func() bool
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
func attachBody(c *conn, request *Request, response *http.Response, p *pump, disarm func() bool) error {
	b := &Body{conn: c, request: request, response: response, pump: p, disarm: disarm}
	b.keepAlive = response.ProtoMinor == 1 && !HasToken(response.Header["Connection"], "close")
	lengths, codings := response.Header["Content-Length"], response.Header["Transfer-Encoding"]
	length, err := parseLength(lengths)
	if err != nil {
		return err
	}
	if len(codings) > 0 {
		switch {
		case len(lengths) > 0:
			return errors.New("the answer has both Content-Length and Transfer-Encoding")
		case len(codings) > 1 || !strings.EqualFold(codings[0], "chunked"):
			return fmt.Errorf("the transfer coding %.40q is not supported", strings.Join(codings, ", "))
		case response.ProtoMinor == 0:
			return errors.New("an answer of HTTP/1.0 has Transfer-Encoding")
		}
		response.Trailer = announced(response.Header["Trailer"])
	}
	response.ContentLength = length
	switch {
	case request.Method == http.MethodHead, response.StatusCode == http.StatusNoContent, response.StatusCode == http.StatusNotModified:
		b.left, b.ended = 0, io.EOF
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

func announced(values []string) http.Header {
	var trailer http.Header
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.Trim(name, " \t"); isToken(name) {
				if trailer == nil {
					trailer = make(http.Header)
				}
				trailer[http.CanonicalHeaderKey(name)] = nil
			}
		}
	}
	return trailer
}

// Streams reports whether the length is unknown, so that parts are to be passed on as they come.
func (b *Body) Streams() bool { return b.source != nil && b.framing != framedByLength }

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
	n, err := b.source.Read(p)
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
	b.ended = err
	return n, err
}

// readTrailer reads what follows the last chunk and returns [io.EOF] when it is right.
func (b *Body) readTrailer() error {
	budget := b.conn.pool.options.MaxHeadBytes
	lines, err := b.conn.readHeadBytes(&budget)
	if err != nil {
		return fmt.Errorf("read the trailer: %w", errors.Join(io.ErrUnexpectedEOF, err))
	}
	fields, err := parseFields(lines, nil)
	if err != nil {
		return fmt.Errorf("read the trailer: %w", err)
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
	if b.disarm() && complete && sent && b.keepAlive && b.conn.reader.Buffered() == 0 {
		b.conn.pool.put(b.conn)
		return nil
	}
	b.conn.close()
	if b.pump != nil {
		_ = b.pump.stop(b.request.Interrupt) // the answer is what counts
	}
	return nil
}

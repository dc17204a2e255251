package gateway

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

// Headers of gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
const (
	headerGRPCStatus  = "Grpc-Status"
	headerGRPCMessage = "Grpc-Message"
)

// grpcTimeout reads how long a client of gRPC waits: at most eight digits and a unit.
func grpcTimeout(header http.Header) (time.Duration, bool) {
	text := header.Get("Grpc-Timeout")
	if len(text) < 2 || len(text) > 9 {
		return 0, false
	}
	units := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}
	unit, known := units[text[len(text)-1]]
	amount, err := strconv.ParseUint(text[:len(text)-1], 10, 31)
	if !known || err != nil || time.Duration(amount) > math.MaxInt64/unit {
		return 0, false
	}
	return time.Duration(amount) * unit, true
}

// isGRPC reports whether a header is that of a request or an answer of gRPC. gRPC-Web is not: its status is in the body.
func isGRPC(header http.Header) bool {
	rest, found := strings.CutPrefix(header.Get("Content-Type"), "application/grpc")
	return found && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// grpcCodeOf returns the code that a client of gRPC makes of an HTTP status, so that a refusal says the same in both:
// https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md.
func grpcCodeOf(status int) codes.Code {
	switch status {
	case http.StatusBadRequest:
		return codes.Internal
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.Unimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return codes.Unavailable
	}
	return codes.Unknown
}

// httpStatuses say as what an answer of gRPC counts, as google/rpc/code.proto has it. So UNKNOWN, DEADLINE_EXCEEDED,
// UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS are the server's faults, as in the semantic conventions of OpenTelemetry.
var httpStatuses = map[codes.Code]int{
	codes.OK:                 http.StatusOK,
	codes.Canceled:           499, // the client closed the request; it has no name
	codes.Unknown:            http.StatusInternalServerError,
	codes.InvalidArgument:    http.StatusBadRequest,
	codes.DeadlineExceeded:   http.StatusGatewayTimeout,
	codes.NotFound:           http.StatusNotFound,
	codes.AlreadyExists:      http.StatusConflict,
	codes.PermissionDenied:   http.StatusForbidden,
	codes.ResourceExhausted:  http.StatusTooManyRequests,
	codes.FailedPrecondition: http.StatusBadRequest,
	codes.Aborted:            http.StatusConflict,
	codes.OutOfRange:         http.StatusBadRequest,
	codes.Unimplemented:      http.StatusNotImplemented,
	codes.Internal:           http.StatusInternalServerError,
	codes.Unavailable:        http.StatusServiceUnavailable,
	codes.DataLoss:           http.StatusInternalServerError,
	codes.Unauthenticated:    http.StatusUnauthorized,
}

// grpcOutcome returns the HTTP status as which an answer of gRPC counts. fields are its header when that is all there is of
// it, else its trailer. An answer without a status is a fault of the server, as its clients see it.
func grpcOutcome(fields http.Header) int {
	code, err := strconv.ParseUint(fields.Get(headerGRPCStatus), 10, 32)
	if err != nil {
		return http.StatusInternalServerError
	}
	if status, known := httpStatuses[codes.Code(code)]; known {
		return status
	}
	return http.StatusInternalServerError
}

// grpcFailure is the header of an answer that has nothing else, or its trailer: what went wrong, for clients of gRPC. A server
// that has given up at the client's deadline resets the stream, which may be here before the client gives up itself.
func grpcFailure(refused *rejection, asked asking) http.Header {
	code := grpcCodeOf(refused.status)
	if !asked.deadline.IsZero() && !time.Now().Before(asked.deadline) {
		code = codes.DeadlineExceeded
	}
	return http.Header{
		headerGRPCStatus:  {strconv.Itoa(int(code))},
		headerGRPCMessage: {percentEncode(refused.code + ": " + refused.detail)},
	}
}

// percentEncode encodes a message as gRPC wants it: all bytes but visible ASCII, spaces and %.
func percentEncode(message string) string {
	var encoded strings.Builder
	for i := range len(message) {
		if c := message[i]; c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&encoded, "%%%02X", c)
		} else {
			encoded.WriteByte(c)
		}
	}
	return encoded.String()
}

// writeGRPC answers with nothing but a header: a refusal in any other form makes clients of gRPC guess what it means.
func (r *rejection) writeGRPC(w http.ResponseWriter, asked asking) {
	header := w.Header()
	maps.Copy(header, grpcFailure(r, asked))
	header.Set("Content-Type", "application/grpc")
	header.Set(HeaderStatus, strconv.Itoa(r.status))
	w.WriteHeader(http.StatusOK)
}

// grpcAnswer follows an answer that may be one of gRPC, which says how it went at its end.
type grpcAnswer struct {
	is      bool
	pending bool // the status comes in the trailer
}

// head returns what the head of an answer says of its outcome.
func (g *grpcAnswer) head(response *http.Response) outcome {
	*g = grpcAnswer{is: isGRPC(response.Header)}
	switch {
	case !g.is || response.StatusCode != http.StatusOK:
	case response.Header[HeaderStatus] != nil:
		if status, err := strconv.Atoi(response.Header.Get(HeaderStatus)); err == nil {
			return outcomeOf(status)
		}
	case response.Header[headerGRPCStatus] != nil:
		return outcomeOf(grpcOutcome(response.Header))
	default:
		g.pending = true
	}
	return outcomeOf(response.StatusCode)
}

// broken returns the trailer to end an answer with that broke off, or nil for an answer that is not of gRPC.
func (g *grpcAnswer) broken(who string, reason fault.Reason, asked asking) http.Header {
	if !g.is {
		return nil
	}
	return grpcFailure(upstreamFailed(who, reason), asked)
}

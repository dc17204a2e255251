package api

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// maxBody is the largest body of a request, in bytes.
const maxBody = 1 << 20

// Request gives handlers what huma does not hand them by itself. It is embedded in the inputs of operations.
type Request struct{ context huma.Context }

// Resolve implements [huma.Resolver].
func (r *Request) Resolve(ctx huma.Context) []error {
	r.context = ctx
	return nil
}

// param returns a part of the path.
func (r *Request) param(name string) string { return r.context.Param(name) }

// caller says who sent the request.
func (r *Request) caller() object.Caller {
	info := infoOf(r.context.Context())
	return object.Caller{Name: info.actor, RequestID: info.id}
}

// unhurried lifts the server's deadlines for a request that waits: with a read deadline left over, net/http would take
// the silence of the client for its end and cancel the request.
func (r *Request) unhurried() {
	_, writer := humago.Unwrap(r.context)
	controller := http.NewResponseController(writer)
	// Writers that know no deadlines, such as those of tests, need none lifted.
	_ = controller.SetReadDeadline(time.Time{})
	_ = controller.SetWriteDeadline(time.Time{})
}

// body reads the whole body.
func (r *Request) body() ([]byte, error) {
	if err := checkContentType(r.context.Header("Content-Type")); err != nil {
		return nil, err
	}
	request, writer := humago.Unwrap(r.context)
	body, err := io.ReadAll(http.MaxBytesReader(writer, request.Body, maxBody))
	if err == nil {
		return body, nil
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, newProblem(http.StatusRequestEntityTooLarge, "a body may have at most %d bytes", maxBody)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return nil, newProblem(http.StatusRequestTimeout, "the body arrived too slowly: it must arrive within %s plus one second for every %d bytes", bodyTimeout, bodyRate)
	}
	return nil, newProblem(http.StatusBadRequest, "the body ended before it was complete")
}

func checkContentType(header string) error {
	if header == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err != nil || media != jsonType && !strings.HasSuffix(media, "+json") {
		return newProblem(http.StatusUnsupportedMediaType, "send the body as %s", jsonType)
	}
	return nil
}

// WaitParams are the query parameters of operations that may wait.
type WaitParams struct {
	Wait    string `query:"wait" enum:"ready" doc:"Answer when the object is settled, that is Ready or Failed, or at the timeout."`
	Timeout string `query:"timeout" doc:"How long to wait at most, as a duration of up to 60s. Default: 30s."`
}

// defaultWait is how long a request waits that says nothing about it.
const defaultWait = 30 * time.Second

// timeout reads how long to wait.
func (p WaitParams) timeout() (time.Duration, error) {
	if p.Timeout == "" {
		return defaultWait, nil
	}
	timeout, err := time.ParseDuration(p.Timeout)
	if err != nil || timeout < 0 || timeout > object.MaxWait {
		return 0, object.InvalidFields([]synapse.FieldError{{
			Pointer: "/query/timeout", Code: synapse.CodeInvalid, Message: "must be a duration of 0s to 60s, such as 50s",
		}})
	}
	return timeout, nil
}

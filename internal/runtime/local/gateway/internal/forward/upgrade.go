package forward

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// relayUpgrade connects client and endpoint, which speak another protocol from now on, until both are done or one fails.
func (p *Proxy) relayUpgrade(f *flight, response *http.Response) {
	behind, ok := response.Body.(*upstream.Upgraded)
	if got := response.Header.Get("Upgrade"); !ok || !strings.EqualFold(got, f.out.Upgrade) {
		f.exchange.Faulted(fault.UnexpectedUpgrade)
		p.fail(f, fault.New(fault.UnexpectedUpgrade, fmt.Errorf("endpoint %s changed to the protocol %.40q: %q was asked for", f.endpoint.ID(), got, f.out.Upgrade)))
		return
	}
	removeOneHop(response.Header)
	f.exchange.Answered(response)
	client, buffered, err := http.NewResponseController(f.client).Hijack()
	if err != nil {
		p.fail(f, fmt.Errorf("take over the client's connection: %w", err))
		return
	}
	defer client.Close()
	header := f.client.Header()
	addAll(header, response.Header)
	header["Connection"], header["Upgrade"] = []string{"Upgrade"}, []string{f.out.Upgrade}
	if err := writeSwitch(buffered.Writer, header); err != nil {
		p.log.Debug("an upgrade did not reach the client", "endpoint", f.endpoint.ID(), "error", err)
		return
	}
	// The server, when it is closed by force, ends the request's context; both copies end with their connections.
	stop := context.AfterFunc(f.in.Context(), func() { _, _ = client.Close(), behind.Close() })
	defer stop()
	// Not from the server's reader: for that, the end of what the client sends is the end of the request, which closes both ways.
	join(client, io.MultiReader(io.LimitReader(buffered.Reader, int64(buffered.Reader.Buffered())), client), behind)
}

func writeSwitch(w *bufio.Writer, header http.Header) error {
	if _, err := io.WriteString(w, "HTTP/1.1 101 Switching Protocols\r\n"); err != nil {
		return err
	}
	if err := header.Write(w); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\r\n"); err != nil {
		return err
	}
	return w.Flush()
}

// join copies both ways. The end of one way is passed on, and the other goes on; an error ends both.
func join(client net.Conn, fromClient io.Reader, behind *upstream.Upgraded) {
	ended := make(chan error, 2)
	go func() { ended <- pipe(behind, fromClient) }()
	go func() { ended <- pipe(client, behind) }()
	if err := <-ended; err != nil {
		_, _ = client.Close(), behind.Close()
	}
	if err := <-ended; err != nil {
		_, _ = client.Close(), behind.Close()
	}
}

func pipe(to io.Writer, from io.Reader) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	half, ok := to.(interface{ CloseWrite() error })
	if !ok {
		return io.ErrClosedPipe
	}
	return half.CloseWrite()
}

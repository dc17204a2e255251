package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// prober asks replicas whether they can serve, in the protocol of their service. Each check has a connection of its own.
type prober struct {
	http1, http2 *http.Client
}

func newProber() prober {
	return prober{newProbeClient((*http.Protocols).SetHTTP1), newProbeClient((*http.Protocols).SetUnencryptedHTTP2)}
}

// newProbeClient returns a client that follows no redirect: a health check is answered by the replica itself.
func newProbeClient(speak func(*http.Protocols, bool)) *http.Client {
	protocols := new(http.Protocols)
	speak(protocols, true)
	return &http.Client{
		Timeout:       probeTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true, Protocols: protocols},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// probe checks one replica. nil is that it can serve. An error suggests another protocol where the check passes in that.
func (p prober) probe(ctx context.Context, address string, wanted runtime.Workload) error {
	configured := cmp.Or(wanted.Protocol, synapse.ProtocolHTTP)
	err := p.ask(ctx, address, wanted.HealthPath, configured)
	// Who does not listen, or does not answer in time, does so in no protocol.
	if err == nil || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	for _, other := range [...]synapse.Protocol{synapse.ProtocolHTTP, synapse.ProtocolGRPC, synapse.ProtocolH2C} {
		if other != configured && p.ask(ctx, address, wanted.HealthPath, other) == nil {
			return fmt.Errorf("%w; the service's protocol is %q, and this replica passes the check of %q: set protocol = %[3]q on the synapse_service", err, configured, other)
		}
	}
	return err
}

// ask checks one replica in a protocol.
func (p prober) ask(ctx context.Context, address, path string, protocol synapse.Protocol) error {
	switch protocol {
	case synapse.ProtocolGRPC:
		return probeGRPC(ctx, address)
	case synapse.ProtocolH2C:
		return probePath(ctx, p.http2, address, path)
	case synapse.ProtocolHTTP:
	}
	return probePath(ctx, p.http1, address, path)
}

func probePath(ctx context.Context, client *http.Client, address, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return fmt.Errorf("health check: GET %s answered %s: %s", path, response.Status, body)
	}
	return nil
}

// probeGRPC asks for the health of the server as a whole: https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
func probeGRPC(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(), grpc.WithDisableServiceConfig())
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	defer connection.Close()
	answer, err := healthpb.NewHealthClient(connection).Check(ctx, &healthpb.HealthCheckRequest{})
	switch {
	case status.Code(err) == codes.Unimplemented:
		return fmt.Errorf("health check: the server does not implement grpc.health.v1.Health, as a service whose protocol is grpc must: %w", err)
	case err != nil:
		return fmt.Errorf("health check: grpc.health.v1.Health/Check: %w", err)
	case answer.GetStatus() != healthpb.HealthCheckResponse_SERVING:
		return fmt.Errorf("health check: grpc.health.v1.Health/Check answered %s", answer.GetStatus())
	}
	return nil
}

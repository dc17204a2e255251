package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Keys of metadata that the test server sends back, in the header and in the trailer.
const (
	echoInitial  = "x-test-echo-initial"
	echoTrailing = "x-test-echo-trailing-bin"
)

// grpcReplica is a real server of gRPC. It answers with its name.
type grpcReplica struct {
	testgrpc.UnimplementedTestServiceServer
	name, address string
	server        *grpc.Server
	left          chan error // why a call that hangs ended
	hanging       atomic.Int64
}

func newGRPCReplica(t testing.TB, name string, options ...grpc.ServerOption) *grpcReplica {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &grpcReplica{name: name, address: listener.Addr().String(), left: make(chan error, 100)}
	r.server = grpc.NewServer(append(options, grpc.MaxRecvMsgSize(64<<20))...)
	testgrpc.RegisterTestServiceServer(r.server, r)
	go func() { _ = r.server.Serve(listener) }()
	t.Cleanup(r.server.Stop)
	return r
}

func (r *grpcReplica) endpoint() Endpoint {
	return Endpoint{ID: r.name, Address: r.address, Revision: "of-" + r.name, Protocol: synapse.ProtocolGRPC}
}

// echoMetadata sends metadata back.
func echoMetadata(ctx context.Context, header, trailer func(metadata.MD) error) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md.Get(echoInitial); len(values) > 0 {
		if err := header(metadata.Pairs(echoInitial, values[0])); err != nil {
			return err
		}
	}
	if values := md.Get(echoTrailing); len(values) > 0 {
		return trailer(metadata.Pairs(echoTrailing, values[0]))
	}
	return nil
}

// UnaryCall answers with a payload, a status, or not before the client has left.
func (r *grpcReplica) UnaryCall(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	if err := echoMetadata(ctx, func(md metadata.MD) error { return grpc.SetHeader(ctx, md) }, func(md metadata.MD) error { return grpc.SetTrailer(ctx, md) }); err != nil {
		return nil, err
	}
	if in.GetFillOauthScope() { // hang
		r.hanging.Add(1)
		defer r.hanging.Add(-1)
		deadline, _ := ctx.Deadline()
		<-ctx.Done()
		r.left <- fmt.Errorf("%w with %t", ctx.Err(), !deadline.IsZero())
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	if wanted := in.GetResponseStatus(); wanted != nil {
		return nil, status.Error(codes.Code(wanted.GetCode()), wanted.GetMessage())
	}
	md, _ := metadata.FromIncomingContext(ctx)
	tenant := ""
	if values := md.Get(HeaderTenant); len(values) > 0 {
		tenant = values[0]
	}
	return &testgrpc.SimpleResponse{Username: r.name, OauthScope: tenant, Payload: &testgrpc.Payload{Body: make([]byte, in.GetResponseSize())}}, nil
}

// StreamingInputCall counts what it gets.
func (r *grpcReplica) StreamingInputCall(stream grpc.ClientStreamingServer[testgrpc.StreamingInputCallRequest, testgrpc.StreamingInputCallResponse]) error {
	sum := 0
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&testgrpc.StreamingInputCallResponse{AggregatedPayloadSize: int32(sum)})
		}
		if err != nil {
			return err
		}
		sum += len(in.GetPayload().GetBody())
	}
}

// StreamingOutputCall sends messages of the sizes that are asked for.
func (r *grpcReplica) StreamingOutputCall(in *testgrpc.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error {
	for _, p := range in.GetResponseParameters() {
		if err := stream.Send(&testgrpc.StreamingOutputCallResponse{Payload: &testgrpc.Payload{Body: make([]byte, p.GetSize())}}); err != nil {
			return err
		}
	}
	return nil
}

// FullDuplexCall answers each message with its name and what it got.
func (r *grpcReplica) FullDuplexCall(stream grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
	if err := echoMetadata(stream.Context(), stream.SendHeader, func(md metadata.MD) error { stream.SetTrailer(md); return nil }); err != nil {
		return err
	}
	for {
		in, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			r.left <- stream.Context().Err()
			return err
		case in.GetResponseStatus() != nil:
			return status.Error(codes.Code(in.GetResponseStatus().GetCode()), in.GetResponseStatus().GetMessage())
		}
		body := append([]byte(r.name+":"), in.GetPayload().GetBody()...)
		if err := stream.Send(&testgrpc.StreamingOutputCallResponse{Payload: &testgrpc.Payload{Body: body}}); err != nil {
			return err
		}
	}
}

const grpcPrefix = "/grpc.testing.TestService"

// grpcSplit leads the test service's methods to the deployments v1, which is stable, and v2.
func grpcSplit(v2 int, replicas ...*grpcReplica) Config {
	backend := func(deployment string, weight int) SplitBackend {
		return SplitBackend{Service: "orders", Deployment: deployment, ReplacePrefix: grpcPrefix, Weight: weight}
	}
	config := Config{
		Tenants: map[string]Tenant{"acme": {Allowed: true}, "limited": {Allowed: true, RequestsPerSecond: 0.001, Burst: 1}, "denied": {}},
		Splits: []Split{{
			Name: "orders", Route: synapse.SplitRoute{PathPrefix: grpcPrefix},
			Backends: map[string]SplitBackend{"v1": backend("v1", 100-v2), "v2": backend("v2", v2)}, Stable: "v1", Candidates: []string{"v2"},
		}},
	}
	service := Service{}
	for i, r := range replicas {
		service.Deployments = append(service.Deployments, Deployment{Name: fmt.Sprintf("v%d", i+1), Endpoints: []Endpoint{r.endpoint()}})
	}
	for i := len(replicas); i < 2; i++ {
		service.Deployments = append(service.Deployments, Deployment{Name: fmt.Sprintf("v%d", i+1)})
	}
	config.Services = map[string]Service{"orders": service}
	return config
}

// grpcPath is a client of gRPC in front of an entry in front of a region.
type grpcPath struct {
	t      *testing.T
	entry  *entry
	region *regionGateway
	conn   *grpc.ClientConn
	client testgrpc.TestServiceClient
}

func newGRPCPath(t *testing.T, config Config) *grpcPath {
	p := &grpcPath{t: t}
	var address string
	p.region, address = newRegion(t, config)
	p.entry = newEntry(testToken, quiet(), time.Now)
	p.entry.apply(&EntryConfig{Regions: []EntryRegion{{"eu", address}}})
	var err error
	p.conn, err = grpc.NewClient("passthrough:///"+serveHTTP(t, p.entry), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.conn.Close()) })
	p.client = testgrpc.NewTestServiceClient(p.conn)
	return p
}

// counted is how many requests of a backend ended in a way.
func (p *grpcPath) counted(backend, outcome string) float64 {
	return valueOf(p.t, p.region.metrics.splits.requests.WithLabelValues("orders", backend, outcome))
}

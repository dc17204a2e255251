package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func duplex(body string) *testgrpc.StreamingOutputCallRequest {
	return &testgrpc.StreamingOutputCallRequest{Payload: &testgrpc.Payload{Body: []byte(body)}}
}

// pingPong sends a message on a stream and returns the answer to it.
func pingPong(stream testgrpc.TestService_FullDuplexCallClient, body string) (string, error) {
	if err := stream.Send(duplex(body)); err != nil {
		return "", err
	}
	answer, err := stream.Recv()
	return string(answer.GetPayload().GetBody()), err
}

func TestGRPCPassesThroughEntryAndRegion(t *testing.T) {
	t.Parallel()
	path := newGRPCPath(t, grpcSplit(0, newGRPCReplica(t, "one")))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	t.Run("a unary call, with the tenant in its metadata", func(t *testing.T) {
		answer, err := path.client.UnaryCall(metadata.AppendToOutgoingContext(ctx, HeaderTenant, "acme"), &testgrpc.SimpleRequest{})
		require.NoError(t, err)
		require.Equal(t, "one", answer.GetUsername())
		require.Equal(t, "acme", answer.GetOauthScope())
	})
	t.Run("large messages, in both directions", func(t *testing.T) {
		const size = 20 << 20 // many times each window of flow control
		answer, err := path.client.UnaryCall(ctx, &testgrpc.SimpleRequest{ResponseSize: size, Payload: &testgrpc.Payload{Body: make([]byte, size)}})
		require.NoError(t, err)
		require.Len(t, answer.GetPayload().GetBody(), size)
	})
	t.Run("a stream from the client", func(t *testing.T) {
		stream, err := path.client.StreamingInputCall(ctx)
		require.NoError(t, err)
		for range 100 {
			require.NoError(t, stream.Send(&testgrpc.StreamingInputCallRequest{Payload: &testgrpc.Payload{Body: make([]byte, 10_000)}}))
		}
		answer, err := stream.CloseAndRecv()
		require.NoError(t, err)
		require.EqualValues(t, 1_000_000, answer.GetAggregatedPayloadSize())
	})
	t.Run("a stream from the server", func(t *testing.T) {
		in := new(testgrpc.StreamingOutputCallRequest)
		for i := range 100 {
			in.ResponseParameters = append(in.ResponseParameters, &testgrpc.ResponseParameters{Size: int32(i * 1000)})
		}
		stream, err := path.client.StreamingOutputCall(ctx, in)
		require.NoError(t, err)
		for i := range 100 {
			answer, err := stream.Recv()
			require.NoError(t, err)
			require.Len(t, answer.GetPayload().GetBody(), i*1000)
		}
		_, err = stream.Recv()
		require.ErrorIs(t, err, io.EOF)
	})
	t.Run("a stream in both directions, in turns, and metadata in header and trailer", func(t *testing.T) {
		binary := string([]byte{0, 1, 0xff, '\n'})
		stream, err := path.client.FullDuplexCall(metadata.AppendToOutgoingContext(ctx, echoInitial, "first", echoTrailing, binary))
		require.NoError(t, err)
		header, err := stream.Header() // before anything is sent
		require.NoError(t, err)
		require.Equal(t, []string{"first"}, header.Get(echoInitial))
		require.Equal(t, []string{"eu"}, header.Get(HeaderRegion))
		for i := range 20 {
			answer, err := pingPong(stream, fmt.Sprint(i))
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("one:%d", i), answer)
		}
		require.NoError(t, stream.CloseSend())
		_, err = stream.Recv()
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, []string{binary}, stream.Trailer().Get(echoTrailing))
	})
	t.Run("the server ends a stream that the client has not", func(t *testing.T) {
		stream, err := path.client.FullDuplexCall(ctx)
		require.NoError(t, err)
		_, err = pingPong(stream, "x")
		require.NoError(t, err)
		require.NoError(t, stream.Send(&testgrpc.StreamingOutputCallRequest{ResponseStatus: &testgrpc.EchoStatus{Code: int32(codes.Aborted), Message: "enough"}}))
		_, err = stream.Recv()
		require.Equal(t, codes.Aborted, status.Code(err))
		require.ErrorContains(t, err, "enough")
	})
	t.Run("a message of a status with all kinds of characters", func(t *testing.T) {
		const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n 100 %"
		_, err := path.client.UnaryCall(ctx, &testgrpc.SimpleRequest{ResponseStatus: &testgrpc.EchoStatus{Code: 2, Message: message}})
		require.Equal(t, message, status.Convert(err).Message())
	})
	t.Run("a method that the server does not have", func(t *testing.T) {
		_, err := path.client.CacheableUnaryCall(ctx, &testgrpc.SimpleRequest{})
		require.Equal(t, codes.Unimplemented, status.Code(err))
		require.ErrorContains(t, err, "method CacheableUnaryCall not implemented")
	})
}

func TestTheOutcomeOfAGRPCRequestIsItsStatus(t *testing.T) {
	t.Parallel()
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			want := "4xx"
			switch code {
			case codes.OK:
				want = "2xx"
			case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
				want = "5xx"
			}
			path := newGRPCPath(t, grpcSplit(0, newGRPCReplica(t, "one")))
			_, err := path.client.UnaryCall(t.Context(), &testgrpc.SimpleRequest{ResponseStatus: &testgrpc.EchoStatus{Code: int32(code)}})
			require.Equal(t, code, status.Code(err))
			stream, err := path.client.FullDuplexCall(t.Context())
			require.NoError(t, err)
			_, err = pingPong(stream, "x")
			require.NoError(t, err)
			require.NoError(t, stream.Send(&testgrpc.StreamingOutputCallRequest{ResponseStatus: &testgrpc.EchoStatus{Code: int32(code)}}))
			_, err = stream.Recv()
			if code == codes.OK {
				require.ErrorIs(t, err, io.EOF)
			} else {
				require.Equal(t, code, status.Code(err))
			}
			require.Eventually(t, func() bool { return path.counted("v1", want) == 2 }, 30*time.Second, time.Millisecond, "one that is a header only, one with a trailer")
			require.Eventually(t, func() bool { return valueOf(t, path.entry.metrics.requests.WithLabelValues("eu", want)) == 2 }, 30*time.Second, time.Millisecond)
		})
	}
}

func TestARefusalOfAGRPCRequestIsAStatus(t *testing.T) {
	t.Parallel()
	gone := newGRPCReplica(t, "gone")
	gone.server.Stop()
	for _, test := range []struct {
		name    string
		config  Config
		tenant  string
		code    codes.Code
		message string
		outcome string // of the backend; "" for none
	}{
		{"no replica is ready", grpcSplit(0), "", codes.Unavailable, CodeNoEndpoint, "5xx"},
		{"no replica can be connected to", grpcSplit(0, gone), "", codes.Unavailable, CodeNoEndpoint, "5xx"},
		{"a tenant that there is not", grpcSplit(0), "nobody", codes.Unimplemented, CodeTenantNotFound, ""},
		{"a tenant that may not be served here", grpcSplit(0, newGRPCReplica(t, "one")), "denied", codes.PermissionDenied, CodeRegionNotAllowed, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := newGRPCPath(t, test.config)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if test.tenant != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, HeaderTenant, test.tenant)
			}
			_, err := path.client.UnaryCall(ctx, &testgrpc.SimpleRequest{})
			require.Equal(t, test.code, status.Code(err), "%v", err)
			require.ErrorContains(t, err, test.message+": ")

			stream, err := path.client.FullDuplexCall(ctx) // whose end nobody says
			require.NoError(t, err)
			_, err = stream.Recv()
			require.Equal(t, test.code, status.Code(err), "%v", err)
			if test.outcome != "" {
				require.Eventually(t, func() bool { return path.counted("v1", test.outcome) == 2 }, 30*time.Second, time.Millisecond)
			}
		})
	}
	t.Run("no region", func(t *testing.T) {
		t.Parallel()
		path := newGRPCPath(t, grpcSplit(0))
		path.entry.apply(&EntryConfig{Regions: []EntryRegion{{"eu", "127.0.0.1:1"}}})
		_, err := path.client.UnaryCall(t.Context(), &testgrpc.SimpleRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.ErrorContains(t, err, CodeNoRegion)
	})
	t.Run("a quota that is used up", func(t *testing.T) {
		t.Parallel()
		path := newGRPCPath(t, grpcSplit(0, newGRPCReplica(t, "one")))
		ctx := metadata.AppendToOutgoingContext(t.Context(), HeaderTenant, "limited")
		_, err := path.client.UnaryCall(ctx, &testgrpc.SimpleRequest{})
		require.NoError(t, err)
		_, err = path.client.UnaryCall(ctx, &testgrpc.SimpleRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.ErrorContains(t, err, CodeQuotaExceeded)
		require.Eventually(t, func() bool { return valueOf(t, path.entry.metrics.requests.WithLabelValues("eu", "4xx")) == 1 }, 30*time.Second, time.Millisecond)
	})
}

func TestAnotherRegionServesAGRPCRequestThatOneCannotBeSentTo(t *testing.T) {
	t.Parallel()
	path := newGRPCPath(t, grpcSplit(0))
	_, serving := newRegion(t, grpcSplit(0, newGRPCReplica(t, "one")))
	path.entry.apply(&EntryConfig{Regions: []EntryRegion{{"us", "127.0.0.1:1"}, {"eu", serving}}})
	for range 3 {
		answer, err := path.client.UnaryCall(t.Context(), &testgrpc.SimpleRequest{})
		require.NoError(t, err)
		require.Equal(t, "one", answer.GetUsername())
	}
}

func TestAServiceThatIsGoneInTheMiddleOfAStreamIsUnavailable(t *testing.T) {
	t.Parallel()
	one := newGRPCReplica(t, "one")
	path := newGRPCPath(t, grpcSplit(0, one))
	stream, err := path.client.FullDuplexCall(t.Context())
	require.NoError(t, err)
	_, err = pingPong(stream, "x")
	require.NoError(t, err)
	one.server.Stop()
	_, err = stream.Recv()
	require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	require.ErrorContains(t, err, CodeUpstreamFailed)
	require.Eventually(t, func() bool { return path.counted("v1", "broken") == 1 }, 30*time.Second, time.Millisecond)
}

func TestTheEndOfACallReachesTheServer(t *testing.T) {
	t.Parallel()
	one := newGRPCReplica(t, "one")
	path := newGRPCPath(t, grpcSplit(0, one))
	hang := &testgrpc.SimpleRequest{FillOauthScope: true}
	t.Run("a deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // enough for it to get there
		defer cancel()
		_, err := path.client.UnaryCall(ctx, hang)
		require.Equal(t, codes.DeadlineExceeded, status.Code(err))
		require.ErrorContains(t, <-one.left, "with true", "the server knows the deadline")
	})
	t.Run("a cancelled call", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := path.client.UnaryCall(ctx, hang)
			ended <- err
		}()
		require.Eventually(t, func() bool { return one.hanging.Load() == 1 }, 30*time.Second, time.Millisecond)
		cancel()
		require.Equal(t, codes.Canceled, status.Code(<-ended))
		require.ErrorIs(t, <-one.left, context.Canceled)
	})
	t.Run("a cancelled stream", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := path.client.FullDuplexCall(ctx)
		require.NoError(t, err)
		_, err = pingPong(stream, "x")
		require.NoError(t, err)
		cancel()
		_, err = stream.Recv()
		require.Equal(t, codes.Canceled, status.Code(err))
		require.ErrorIs(t, <-one.left, context.Canceled)
	})
	require.Eventually(t, func() bool { return path.region.inFlight()["one"] == 0 }, 30*time.Second, time.Millisecond)
}

// TestASplitThatMovesFailsNoGRPCCall moves all traffic from one version to another and back while calls are made: none fails,
// new ones go where the weights say, and streams stay where they are.
func TestASplitThatMovesFailsNoGRPCCall(t *testing.T) {
	t.Parallel()
	one, two := newGRPCReplica(t, "one"), newGRPCReplica(t, "two")
	path := newGRPCPath(t, grpcSplit(0, one, two))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	open := func() testgrpc.TestService_FullDuplexCallClient {
		stream, err := path.client.FullDuplexCall(ctx)
		require.NoError(t, err)
		return stream
	}
	var streams []testgrpc.TestService_FullDuplexCallClient
	for range 10 {
		streams = append(streams, open())
	}
	says := func(stream testgrpc.TestService_FullDuplexCallClient, want string) {
		answer, err := pingPong(stream, "x")
		require.NoError(t, err)
		require.Equal(t, want+":x", answer)
	}
	for _, stream := range streams {
		says(stream, "one")
	}

	moving, stop := context.WithCancel(ctx)
	callers, calling := errgroup.WithContext(ctx)
	for range 2 {
		callers.Go(func() error {
			for moving.Err() == nil {
				answer, err := path.client.UnaryCall(calling, &testgrpc.SimpleRequest{ResponseSize: 1000})
				if err != nil || answer.GetUsername() != "one" && answer.GetUsername() != "two" {
					return fmt.Errorf("a call failed: %w", errors.Join(err, fmt.Errorf("answered by %q", answer.GetUsername())))
				}
			}
			return nil
		})
	}
	for generation := range 10 {
		config := grpcSplit(100*((generation+1)%2), one, two)
		config.Region, config.Generation = "eu", int64(generation)
		path.region.apply(&config)
		want := []string{"two", "one"}[generation%2]
		for range 3 {
			answer, err := path.client.UnaryCall(ctx, &testgrpc.SimpleRequest{})
			require.NoError(t, err)
			require.Equal(t, want, answer.GetUsername())
		}
		says(streams[generation%10], "one")
		fresh := open()
		says(fresh, want)
		require.NoError(t, fresh.CloseSend())
	}
	// The first version goes: its streams finish where they are.
	config := grpcSplit(100, one, two)
	config.Region, config.Generation = "eu", 100
	config.Services["orders"].Deployments[0].Endpoints = nil
	path.region.apply(&config)
	stop()
	require.NoError(t, callers.Wait())
	for _, stream := range streams {
		says(stream, "one")
		require.NoError(t, stream.CloseSend())
		_, err := stream.Recv()
		require.ErrorIs(t, err, io.EOF)
	}
	require.Eventually(t, func() bool { return path.region.inFlight()["one"] == 0 }, 30*time.Second, time.Millisecond)
	for _, backend := range []string{"v1", "v2"} {
		for _, outcome := range []string{"none", "4xx", "5xx", "abandoned", "broken"} {
			require.Zero(t, path.counted(backend, outcome), "%s of %s", outcome, backend)
		}
	}
}

func TestPercentEncode(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b%0A%25%C3%A9~", percentEncode("a b\n%é~"))
}

func TestWhatIsGRPC(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]bool{
		"application/grpc": true, "application/grpc+proto": true, "application/grpc;x=y": true,
		"application/grpc-web": false, "application/grpc-web+proto": false, "application/json": false, "": false,
	} {
		require.Equal(t, want, isGRPC(map[string][]string{"Content-Type": {contentType}}), contentType)
	}
}

func TestGRPCTimeout(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1H": time.Hour, "2M": 2 * time.Minute, "30S": 30 * time.Second, "200m": 200 * time.Millisecond, "5u": 5 * time.Microsecond, "99999999n": 99999999,
		"": 0, "S": 0, "1": 0, "-1S": 0, "1s": 0, "123456789S": 0, "99999999H": 0,
	} {
		got, given := grpcTimeout(http.Header{"Grpc-Timeout": {text}})
		require.Equal(t, want, got, text)
		require.Equal(t, want != 0, given, text)
	}
}

// TestAServerThatEndsItsConnectionsByAgeFailsNoCall: as reported of connectrpc/connect-go#541 and grpc/grpc-go#2767.
func TestAServerThatEndsItsConnectionsByAgeFailsNoCall(t *testing.T) {
	t.Parallel()
	replica := newGRPCReplica(t, "v1", grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 10 * time.Millisecond, MaxConnectionAgeGrace: time.Minute}))
	p := newGRPCPath(t, grpcSplit(0, replica))
	var callers errgroup.Group
	for range 8 {
		callers.Go(func() error {
			for range 100 {
				if _, err := p.client.UnaryCall(t.Context(), &testgrpc.SimpleRequest{}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, callers.Wait())
}

// TestAStatusBeforeTheEndOfTheRequestReachesTheClient: as reported of hyperium/hyper#4130. Servers follow such a status with
// RST_STREAM, as they want no more of the request.
func TestAStatusBeforeTheEndOfTheRequestReachesTheClient(t *testing.T) {
	t.Parallel()
	replica := newGRPCReplica(t, "v1", grpc.StreamInterceptor(func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
		return status.Error(codes.ResourceExhausted, "full")
	}))
	p := newGRPCPath(t, grpcSplit(0, replica))
	for range 50 {
		stream, err := p.client.FullDuplexCall(t.Context())
		require.NoError(t, err)
		_, err = stream.Recv()
		require.Equal(t, codes.ResourceExhausted, status.Code(err), err)
	}
}

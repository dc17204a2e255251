package test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certtest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/prometheustest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const grpcMethods = "/grpc.testing.TestService"

// TestGRPCPassesWhileASplitMoves runs a service that speaks gRPC on the real platform, calls it with TLS through the entry, and
// moves all traffic to another version of it meanwhile.
func TestGRPCPassesWhileASplitMoves(t *testing.T) {
	t.Parallel()
	pair, address := certtest.NewPair(t, "entry"), prometheustest.FreeAddress(t)
	d := synapsedtest.Start(t, "--entry-tls-address="+address, "--entry-tls-certificate="+pair.ChainFile, "--entry-tls-key="+pair.KeyFile)
	image := d.Push(synapsedtest.Build(t, "./test/testdata/grpcservice"), "orders:1")
	create[synapse.RegionSpec, synapse.RegionStatus](t, d, synapse.KindRegion, synapse.Draft[synapse.RegionSpec]{
		Name: "eu", Spec: synapse.RegionSpec{Runtime: synapse.RuntimeLocal},
	})
	create[synapse.ServiceSpec, synapse.ServiceStatus](t, d, synapse.KindService, synapse.Draft[synapse.ServiceSpec]{
		Name: "orders", Spec: synapse.ServiceSpec{Protocol: synapse.ProtocolGRPC},
	})
	backends := map[string]synapse.SplitBackend{}
	for version, role := range map[string]synapse.SplitRole{"v1": synapse.RoleStable, "v2": synapse.RoleCandidate} {
		create[synapse.DeploymentSpec, synapse.DeploymentStatus](t, d, synapse.KindServiceDeployment, synapse.Draft[synapse.DeploymentSpec]{
			Name: version, Parent: "orders",
			Spec: synapse.DeploymentSpec{Image: image, Regions: map[string]synapse.DeploymentRegion{"eu": {}}, Env: map[string]string{"VERSION": version}},
		})
		backends[version] = synapse.SplitBackend{Role: role, Deployment: "orders/" + version, ReplacePrefix: grpcMethods}
	}
	split := synapse.Draft[synapse.TrafficSplitSpec]{Name: "orders", Spec: synapse.TrafficSplitSpec{
		Route: synapse.SplitRoute{PathPrefix: grpcMethods}, Backends: backends, Weights: map[string]int{"v1": 100, "v2": 0},
	}}
	create[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](t, d, synapse.KindTrafficSplit, split)

	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pair.Authorities(t), "localhost")), grpc.WithNoProxy())
	require.NoError(t, err)
	defer connection.Close()
	calls := testgrpc.NewTestServiceClient(connection)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	version := func() string {
		answer, err := calls.UnaryCall(ctx, &testgrpc.SimpleRequest{})
		if err != nil {
			return err.Error()
		}
		return answer.GetUsername()
	}
	require.Eventually(t, func() bool { return version() == "v1" }, time.Minute, 50*time.Millisecond)
	stream, err := calls.FullDuplexCall(ctx)
	require.NoError(t, err)
	says := func() string {
		require.NoError(t, stream.Send(&testgrpc.StreamingOutputCallRequest{}))
		answer, err := stream.Recv()
		require.NoError(t, err)
		return string(answer.GetPayload().GetBody())
	}
	require.Equal(t, "v1", says())

	moving, moved := context.WithCancel(ctx)
	var callers errgroup.Group
	for range 2 {
		callers.Go(func() error {
			for moving.Err() == nil {
				if got := version(); got != "v1" && got != "v2" {
					return fmt.Errorf("a call failed: %s", got)
				}
			}
			return nil
		})
	}
	split.Spec.Weights = map[string]int{"v1": 0, "v2": 100}
	require.Eventually(t, func() bool {
		object, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](t.Context(), d.Client(), synapse.Key{Kind: synapse.KindTrafficSplit, Name: "orders"})
		if err != nil {
			return false
		}
		_, err = client.Update[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](t.Context(), d.Client(), synapse.KindTrafficSplit, split, object.ResourceVersion, client.WriteOptions{})
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	require.Eventually(t, func() bool { return version() == "v2" }, time.Minute, 10*time.Millisecond)
	moved()
	require.NoError(t, callers.Wait())
	require.Equal(t, "v1", says(), "a stream stays where it is")
	require.NoError(t, stream.CloseSend())
	_, err = stream.Recv()
	require.ErrorIs(t, err, io.EOF)
}

package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkGateway compares a region gateway, and the entry in front of it, with the same requests sent to the service
// directly. The client writes and reads on bare connections, so that most of the difference is the gateway. On a machine
// that is busy with other things, compare the processor time: it is that of client, gateway and service together.
func BenchmarkGateway(b *testing.B) {
	payload := make([]byte, 512)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(payload) }))
	b.Cleanup(service.Close)
	config := serving(Endpoint{ID: "one", Address: addressOf(service)})
	config.Tenants = map[string]Tenant{"acme": {Allowed: true, RequestsPerSecond: 1e6, Burst: 1e6}}
	region := newRegionServer(b, config)

	e := newEntry(testToken, quiet(), time.Now)
	e.apply(&EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}})
	front := httptest.NewServer(e)
	b.Cleanup(front.Close)

	b.Run("direct", func(b *testing.B) { flood(b, addressOf(service)) })
	b.Run("region", func(b *testing.B) { flood(b, addressOf(region.Server)) })
	b.Run("entry and region", func(b *testing.B) { flood(b, addressOf(front)) })
}

// flood sends b.N requests on many connections and reports how many were answered each second.
func flood(b *testing.B, address string) {
	b.SetParallelism(16)
	used := processorTime(b)
	b.RunParallel(func(pb *testing.PB) {
		connection, err := net.Dial("tcp", address)
		require.NoError(b, err)
		defer connection.Close()
		reader := bufio.NewReader(connection)
		request := []byte("GET /orders/x HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\nX-Synapse-Tenant: acme\r\n\r\n")
		for pb.Next() {
			_, err := connection.Write(request)
			require.NoError(b, err)
			response, err := http.ReadResponse(reader, nil)
			require.NoError(b, err)
			require.Equal(b, http.StatusOK, response.StatusCode)
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(b, err)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64((processorTime(b)-used).Microseconds())/float64(b.N), "cpu-µs/req")
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// spoofed are headers by which proxies say who a client is and what it asked for, as a client could make them up.
var spoofed = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
	"X-Forwarded-Ssl", "X-Forwarded-Scheme", "X-Forwarded-User", "X-Forwarded-Client-Cert", "X-Forwarded-Prefix", "X-Forwarded",
	"X-Original-Forwarded-For", "Forwarded-For", "X-Real-IP", "X-Real-Port", "X-Remote-IP", "X-Remote-Addr", "Client-IP", "X-Client-IP",
	"X-Cluster-Client-IP", "X-Originating-IP", "X-ProxyUser-Ip", "True-Client-IP", "CF-Connecting-IP", "CF-Connecting-IPv6",
	"CF-Pseudo-IPv4", "CF-Visitor", "Fastly-Client-IP", "Fastly-SSL", "Fly-Client-IP", "Incap-Client-IP", "Akamai-Client-IP",
	"DO-Connecting-IP", "Proxy-Client-IP", "WL-Proxy-Client-IP", "X-Appengine-User-Ip", "X-Azure-ClientIP", "X-Azure-SocketIP",
	"X-Envoy-External-Address", "X-Envoy-Original-Path", "X-NF-Client-Connection-IP", "CloudFront-Viewer-Address",
	"X-Vercel-Forwarded-For", "X-Host", "X-Original-Host", "X-HTTP-Host-Override", "X-Original-Proto", "X-Scheme", "X-Url-Scheme",
	"Front-End-Https", "X-Original-URL", "X-Rewrite-URL", "X-Synapse-Anything",
}

const madeUp = "6.6.6.6"

func TestNothingThatAClientSaysOfItselfReachesAService(t *testing.T) {
	t.Parallel()
	region := newRegionServer(t, serving(newReplica(t, "one").endpoint()))
	_, entry := newEntryServer(t, EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}})
	for _, door := range []struct{ name, url string }{{"the entry", entry}, {"a region gateway", region.URL}} {
		for _, name := range spoofed {
			for _, spelling := range []string{name, strings.ToLower(name), strings.ReplaceAll(name, "-", "_"), strings.ToUpper(strings.Replace(name, "-", "_", 1))} {
				t.Run(door.name+"/"+spelling, func(t *testing.T) {
					got := send(t, http.MethodGet, door.url+"/orders/", "", spelling, madeUp)
					require.Equal(t, http.StatusOK, got.Status)
					for header, values := range got.Seen.Header {
						require.NotContains(t, values, madeUp, header)
					}
				})
			}
		}
		t.Run(door.name+" says who the client is", func(t *testing.T) {
			got := send(t, http.MethodGet, door.url+"/orders/", "", "X-Real-IP", madeUp, "X-Forwarded-For", madeUp).Seen.Header
			require.Equal(t, []string{"127.0.0.1"}, got[headerForwardedFor])
			require.Equal(t, []string{"127.0.0.1"}, got[headerRealIP])
		})
	}
}

func TestNothingThatAClientSaysOfItselfReachesAServiceInATrailer(t *testing.T) {
	t.Parallel()
	trailers := make(chan http.Header, 1)
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		trailers <- r.Trailer
	}))
	t.Cleanup(service.Close)
	region := newRegionServer(t, serving(Endpoint{ID: "one", Address: addressOf(service)}))
	connection, err := net.Dial("tcp", addressOf(region.Server))
	require.NoError(t, err)
	defer connection.Close()
	var fields strings.Builder
	for _, name := range spoofed {
		fmt.Fprintf(&fields, "%s: %s\r\n%s: %s\r\n", name, madeUp, strings.ReplaceAll(name, "-", "_"), madeUp)
	}
	_, err = fmt.Fprintf(connection, "POST /orders/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Kept, %s, %s\r\n\r\n1\r\na\r\n0\r\nX-Kept: yes\r\n%s\r\n",
		strings.Join(spoofed, ", "), strings.ReplaceAll(strings.Join(spoofed, ", "), "-", "_"), fields.String())
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, http.Header{"X-Kept": {"yes"}}, <-trailers)
}

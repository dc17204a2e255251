package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// connections is how many connections the load comes on, each with one request at a time.
const connections = 32

// load is what one round of requests measured.
type load struct {
	perSecond float64
	p50, p99  time.Duration
	elapsed   time.Duration
}

// flood sends requests to an address for a while. It writes and reads bytes, so that it costs little beside what it
// measures. Any answer but 200 fails the test.
func flood(t *testing.T, address, path string, duration time.Duration) load {
	t.Helper()
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	var over atomic.Bool
	timer := time.AfterFunc(duration, func() { over.Store(true) })
	defer timer.Stop()
	latencies := make([][]time.Duration, connections)
	var group errgroup.Group
	start := time.Now()
	for i := range connections {
		group.Go(func() error {
			connection, err := net.Dial("tcp", address)
			if err != nil {
				return err
			}
			defer connection.Close()
			reader := bufio.NewReader(connection)
			for !over.Load() {
				sent := time.Now()
				if _, err := connection.Write(request); err != nil {
					return err
				}
				if err := skipAnswer(reader); err != nil {
					return fmt.Errorf("answer %d: %w", len(latencies[i])+1, err)
				}
				latencies[i] = append(latencies[i], time.Since(sent))
			}
			return nil
		})
	}
	require.NoError(t, group.Wait(), "%s", address)
	elapsed := time.Since(start)
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return load{float64(len(all)) / elapsed.Seconds(), all[len(all)/2], all[len(all)*99/100], elapsed}
}

// skipAnswer reads an answer 200 with a Content-Length, as all targets give.
func skipAnswer(reader *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("%q", line)
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		const name = "content-length:"
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("the answer has no Content-Length: %w", io.ErrUnexpectedEOF)
	}
	_, err := reader.Discard(length)
	return err
}

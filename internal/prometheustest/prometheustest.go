// Package prometheustest runs a real Prometheus server for tests.
package prometheustest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

// untilInputEnds runs a program until the standard input ends, as it does too when the test process is killed.
const untilInputEnds = `"$@" & cat >/dev/null; kill -KILL $!; wait`

// Start runs Prometheus at a host:port until the test ends, with files beside its configuration, prometheus.yml, by name. Where
// Prometheus is not installed, the test is skipped.
func Start(t testing.TB, address string, files map[string]string) {
	t.Helper()
	program := Program(t)
	folder := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var output bytes.Buffer
	command := exec.Command("/bin/sh", "-c", untilInputEnds, "sh", program, "--config.file="+filepath.Join(folder, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(folder, "data"), "--web.listen-address="+address)
	command.Stdout, command.Stderr = &output, &output
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = command.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	})
}

// Program is the path of Prometheus. Where it is not installed, the test is skipped.
func Program(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed: it comes with Debian's package prometheus")
	}
	return program
}

// FreeAddress returns a loopback host:port that nobody listens on, and that no outgoing connection takes meanwhile.
func FreeAddress(t testing.TB) string {
	t.Helper()
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

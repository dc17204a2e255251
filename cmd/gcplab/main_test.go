package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// lab runs the program with its lab at an address of its own.
type lab struct{ program, listen string }

func newLab(t *testing.T) lab {
	t.Helper()
	port, err := ports.Free()
	require.NoError(t, err)
	// Not 127.0.0.1, where others may take the port before the lab listens.
	return lab{program: synapsedtest.Build(t, "./cmd/gcplab"), listen: net.JoinHostPort("127.0.0.8", strconv.Itoa(port))}
}

func (l lab) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), l.program, append([]string{"--listen", l.listen}, args...)...)
	output, err := command.CombinedOutput()
	return string(output), err
}

// The script is what somebody does beside a lab: it looks, breaks something, asks and looks again.
const script = `
set -eu
lab="$1 --listen $2"
eval "$($lab env)"
network() { curl -s -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $GOOGLE_OAUTH_ACCESS_TOKEN" -d '{"name": "main", "autoCreateSubnetworks": false}' "${GOOGLE_COMPUTE_CUSTOM_ENDPOINT}projects/here/global/networks"; }
$lab fault add compute.networks.insert --status 503 --times 1
network
network
$lab fault add 'compute.*.*' --status 429
network
$lab fault clear
network
$lab inventory
$lab inventory --json
$lab requests
`

func TestALabRunsForAsLongAsACommandAndCanBeLookedAt(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not here")
	}
	l := newLab(t)
	file := filepath.Join(t.TempDir(), "script.sh")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	output, err := l.try(t, "run", "--project", "here=1234", "--", "sh", file, l.program, l.listen)
	require.NoError(t, err, output)
	lines := strings.Split(output, "\n")
	require.Equal(t, []string{"503", "200", "429", "409", "global", "  networks  main"}, []string{lines[0], lines[1], lines[2], lines[3], lines[4], strings.TrimRight(lines[5], " ")})
	require.Contains(t, output, `"kind":"compute.networks"`)
	require.Regexp(t, `503\s+POST\s+/compute.googleapis.com/compute/v1/projects/here/global/networks`, output)

	output, err = l.try(t, "inventory")
	require.Error(t, err, "the lab ended with the command")
	require.Contains(t, output, "is it running?")
}

func TestTheCommandsStatusIsTheLabs(t *testing.T) {
	t.Parallel()
	output, err := newLab(t).try(t, "run", "--", "sh", "-c", "exit 7")
	require.Error(t, err)
	require.Contains(t, output, "exit status 7")
}

func TestALabIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.listen = "0.0.0.0:0"
	output, err := l.try(t, "run", "--", "true")
	require.Error(t, err)
	require.Contains(t, output, "is no loopback address")
}

func TestAFaultThatDoesNothingIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	output, err := l.try(t, "run", "--", l.program, "--listen", l.listen, "fault", "add", "compute.networks.insert")
	require.Error(t, err)
	require.Contains(t, output, "this fault does nothing")
}

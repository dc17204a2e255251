package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

// fence is one fenced block of a Markdown file.
type fence struct {
	language, text string
	line           int
}

func fences(markdown string) []fence {
	var all []fence
	var open *fence
	scanner := bufio.NewScanner(strings.NewReader(markdown))
	for line := 1; scanner.Scan(); line++ {
		text := scanner.Text()
		language, isFence := strings.CutPrefix(text, "```")
		switch {
		case isFence && open == nil:
			open = &fence{language: language, line: line}
		case isFence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += text + "\n"
		}
	}
	return all
}

// session is one command of a console block, with the output that the document shows.
type session struct {
	command string
	shown   []string
}

func sessions(text string) []session {
	var all []session
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, session{command: command})
		} else if len(all) > 0 {
			last := &all[len(all)-1]
			last.shown = append(last.shown, line)
		}
	}
	return all
}

// unlike returns the first line shown that the output does not have, in order. In a line shown, … stands for anything;
// numbers, revisions and digests, which differ from run to run, and white space match any of their kind.
func unlike(output string, shown []string) string {
	rest := strings.Split(output, "\n")
	for _, line := range shown {
		if line = strings.TrimSpace(line); line == "" || line == "…" {
			continue
		}
		pattern := regexp.MustCompile(loosely(line))
		at := 0
		for at < len(rest) && !pattern.MatchString(rest[at]) {
			at++
		}
		if at == len(rest) {
			return line
		}
		rest = rest[at+1:]
	}
	return ""
}

var varying = regexp.MustCompile(`\s+|…|sha256:[0-9a-f]+|\br[0-9a-f]{8}\b|\d+(\.\d+)?`)

func loosely(line string) string {
	pattern, end := "", 0
	for _, at := range varying.FindAllStringIndex(line, -1) {
		pattern += regexp.QuoteMeta(line[end:at[0]])
		switch found := line[at[0]:at[1]]; {
		case strings.TrimSpace(found) == "":
			pattern += `\s+`
		case found == "…":
			pattern += ".*"
		case found[0] == 's':
			pattern += "sha256:[0-9a-f]+"
		case found[0] == 'r':
			pattern += "r[0-9a-f]{8}"
		default:
			pattern += `\d+(\.\d+)?`
		}
		end = at[1]
	}
	return pattern + regexp.QuoteMeta(line[end:])
}

func TestUnlike(t *testing.T) {
	t.Parallel()
	output := "==> Starting\nacme  POST /x  200  r0123abcd  17\ndone in 3s\n"
	tests := map[string]struct {
		shown []string
		want  string
	}{
		"lines in order are there":                 {[]string{"==> Starting", "done in 3s"}, ""},
		"numbers, revisions and spaces may differ": {[]string{"acme POST /x 200 rffffffff 2"}, ""},
		"so may the digits of fractions":           {[]string{"done in 2.75s"}, ""},
		"an ellipsis is anything":                  {[]string{"acme … 17", "…"}, ""},
		"another word is found":                    {[]string{"globex POST"}, "globex POST"},
		"lines in another order are found":         {[]string{"done in 3s", "==> Starting"}, "==> Starting"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, unlike(output, test.shown))
		})
	}
}

// TestDocuments does what README.md says, on a demo of its own: it starts it with `make demo`, runs each command, plans
// each piece of HCL, starts it a second time and takes it down.
func TestDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs everything")
	}
	if _, set := os.LookupEnv("TF_ACC"); !set {
		t.Skip("needs a terraform or tofu: run it with `make go-test`")
	}
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	d := Demo{
		Dir: demoDir(t), Repository: repository, Terraform: os.Getenv("TF_ACC_TERRAFORM_PATH"),
		Listen: freeAddress(t), EntryAddress: freeAddress(t), DatabaseAddress: freeAddress(t), Out: t.Output(),
	}
	if d.Terraform == "" {
		d.Terraform = "terraform"
	}
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Down(context.Background(), true)) }) // t.Context() has ended by then

	elsewhere := strings.NewReplacer("127.0.0.1:7700", d.Listen, "127.0.0.1:7780", d.EntryAddress,
		"127.0.0.1:7432", d.DatabaseAddress, "/var/lib/synapse-demo", d.Dir)
	ran := map[string]int{}
	for _, block := range fences(string(readme)) {
		ran[block.language]++
		where := fmt.Sprintf("README.md:%d", block.line)
		switch block.language {
		case "console":
			for _, s := range sessions(elsewhere.Replace(block.text)) {
				output := d.shell(t, s.command)
				require.Empty(t, unlike(output, s.shown), "%s shows a line that `%s` does not print:\n%s", where, s.command, output)
			}
		case "hcl":
			d.plan(t, where, elsewhere.Replace(block.text))
		}
	}
	require.NotZero(t, ran["console"], "README.md shows no command")
	require.NotZero(t, ran["hcl"], "README.md shows no HCL")

	t.Run("a second make demo works", func(t *testing.T) { require.NoError(t, d.Up(t.Context())) })
	t.Run("make demo-down leaves nothing", func(t *testing.T) {
		var out bytes.Buffer
		d.Out = &out
		require.NoError(t, d.Down(t.Context(), false), out.String())
		require.Contains(t, out.String(), "Nothing is left")
		require.NoDirExists(t, d.Dir)
	})
}

// shell runs a command of the document as it is there, make's own targets with this demo's arguments.
func (d Demo) shell(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	cmd.Dir = d.Repository
	cmd.Env = append(os.Environ(), "TERRAFORM="+d.Terraform, fmt.Sprintf("DEMO_ARGS=--dir %s --listen %s --entry-address %s --database-address %s",
		d.Dir, d.Listen, d.EntryAddress, d.DatabaseAddress))
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", command, output)
	return strings.ReplaceAll(string(output), "\r", "")
}

// plan plans a piece of HCL against the running demo, which checks it on the server, too.
func (d Demo) plan(t *testing.T, where, hcl string) {
	t.Helper()
	work := d
	work.Dir = t.TempDir()
	require.NoError(t, os.MkdirAll(work.workDir(quickstart), 0o700))
	versions, err := os.ReadFile(filepath.Join(d.Repository, "examples", "quickstart", "versions.tf"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(work.workDir(quickstart), "versions.tf"), versions, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(work.workDir(quickstart), "main.tf"), []byte(hcl), 0o600))
	script := fmt.Sprintf(". %s && %s init -input=false && %s plan -input=false", d.envFile(), d.Terraform, d.Terraform)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = work.workDir(quickstart)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", where, output)
}

// demoDir is a directory that PostgreSQL's user can pass through, unlike t.TempDir's.
func demoDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "synapse-demo-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(parent, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(parent)) })
	return filepath.Join(parent, "demo")
}

// freeAddress returns an address that no outgoing connection takes until the demo listens on it.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := ports.Free()
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Demo says where the demo lives and listens. Two demos with nothing in common can run at once.
type Demo struct {
	Dir             string `default:"${dir}" help:"Directory for everything the demo writes."`
	Repository      string `default:"." type:"existingdir" help:"Root of the repository."`
	Terraform       string `default:"terraform" help:"The terraform or tofu to use."`
	Listen          string `default:"127.0.0.1:7700" help:"Address of the API and the image registry."`
	EntryAddress    string `default:"127.0.0.1:7780" help:"Address of the global entry."`
	DatabaseAddress string `default:"127.0.0.1:7432" help:"Address that leads to the primary database."`

	Out io.Writer `kong:"-"`
}

// The examples that the demo applies, in this order.
const (
	quickstart = "quickstart"
	strangler  = "strangler-migration"
	drDrill    = "dr-drill"
)

// defaultDir is where the demo lives unless told otherwise. For root it is below /var/lib, since PostgreSQL runs as
// another user, who cannot enter root's home.
func defaultDir(getenv func(string) string, uid int) string {
	if uid == 0 {
		return "/var/lib/synapse-demo"
	}
	state := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		state = filepath.Join(getenv("HOME"), ".local", "state")
	}
	return filepath.Join(state, "synapse-demo")
}

// The places in the demo's directory.
func (d Demo) dataDir() string               { return filepath.Join(d.Dir, "data") }
func (d Demo) tokenFile() string             { return filepath.Join(d.dataDir(), "admin.token") }
func (d Demo) binDir() string                { return filepath.Join(d.Dir, "bin") }
func (d Demo) synapsed() string              { return filepath.Join(d.binDir(), "synapsed") }
func (d Demo) workDir(example string) string { return filepath.Join(d.Dir, example) }
func (d Demo) pluginDir() string             { return filepath.Join(d.Dir, "plugins") }
func (d Demo) cliConfig() string             { return filepath.Join(d.Dir, "terraform.rc") }
func (d Demo) envFile() string               { return filepath.Join(d.Dir, "env.sh") }
func (d Demo) daemonLog() string             { return filepath.Join(d.Dir, "synapsed.log") }
func (d Demo) daemonFile() string            { return filepath.Join(d.Dir, "synapsed.json") }
func (d Demo) markerFile() string            { return filepath.Join(d.Dir, "made-by-synapse-demo") }
func (d Demo) endpoint() string              { return "http://" + d.Listen }
func (d Demo) entry() string                 { return "http://" + d.EntryAddress }
func (d Demo) executable() string            { return "terraform-provider-synapse" }
func (d Demo) say(f string, a ...any)        { _, _ = fmt.Fprintf(d.Out, f+"\n", a...) }
func (d Demo) step(f string, a ...any)       { d.say("\n==> "+f, a...) }

// prepareDir makes the demo's directory, and marks it: what is removed later must be what was made here.
func (d Demo) prepareDir() error {
	if entries, err := os.ReadDir(d.Dir); err == nil && len(entries) > 0 {
		if _, err := os.Stat(d.markerFile()); err != nil {
			return fmt.Errorf("%s exists and was not made by the demo: choose another directory with --dir", d.Dir)
		}
	}
	// PostgreSQL's unprivileged user passes through; only names that are not secret are here.
	if err := os.MkdirAll(d.Dir, 0o711); err != nil {
		return fmt.Errorf("making the demo's directory: %w", err)
	}
	return d.writeFile(d.markerFile(), "Everything in this directory belongs to the demo: `make demo-down` removes it.\n")
}

func (d Demo) writeFile(path, content string) error {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("writing a file of the demo: %w", err)
	}
	return nil
}

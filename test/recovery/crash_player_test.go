package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
)

// playVariable holds, as JSON, the [part] that the test binary plays in place of running tests.
const playVariable = "SYNAPSE_TEST_PLAY"

// part is a synapsed that is killed at one of its writes. All else of it is the real one, and what it starts is Program.
type part struct {
	Program string
	Point   point
	// Seen is the file that a line is added to for each write that counts, see [sight].
	Seen string
}

// point is a moment of a run: right before or right after one of the writes that count, which are those to the run, and those
// to a failover policy while the run is under way.
type point struct {
	Run   string
	After bool
	// Write counts the writes from 1, the one that creates the run. Event names one by what it stores, see [events]; Write
	// is 0 then.
	Write int
	Event string
}

func (p point) String() string {
	side := "before"
	if p.After {
		side = "after"
	}
	if p.Event != "" {
		return fmt.Sprintf("%s %q", side, p.Event)
	}
	return fmt.Sprintf("%s write %d", side, p.Write)
}

func (p point) is(after bool, write int, stored []string) bool {
	if p.After != after {
		return false
	}
	for _, event := range stored {
		if p.Event != "" && p.Event == event {
			return true
		}
	}
	return p.Write > 0 && p.Write == write
}

// playDaemon is synapsed serve, with a store that kills it.
func playDaemon(ctx context.Context, play string, arguments []string) error {
	var as part
	if err := json.Unmarshal([]byte(play), &as); err != nil {
		return fmt.Errorf("%s: %w", playVariable, err)
	}
	seen, err := os.OpenFile(as.Seen, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer seen.Close()
	var level slog.Level
	options := daemon.Options{
		Program: as.Program, Version: "test",
		WrapStore: func(s store.Store) store.Store { return &deadlyStore{Store: s, point: as.Point, seen: seen} },
	}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&options.DataDir, "data-dir", "", "")
	flags.StringVar(&options.Environment, "environment", "", "")
	flags.StringVar(&options.Listen, "listen", "", "")
	flags.StringVar(&options.EntryAddress, "entry-address", "", "")
	flags.StringVar(&options.DatabaseAddress, "database-address", "", "")
	flags.TextVar(&level, "log-level", slog.LevelInfo, "")
	if len(arguments) == 0 || arguments[0] != "serve" {
		return errors.New("the test binary plays synapsed serve, and nothing else")
	}
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	options.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return daemon.Run(ctx, options)
}

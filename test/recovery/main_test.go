package recovery

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestMain has the test binary play a synapsed that is killed, when a test says so: see [playDaemon].
func TestMain(m *testing.M) {
	play, plays := os.LookupEnv(playVariable)
	if !plays {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := playDaemon(ctx, play, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

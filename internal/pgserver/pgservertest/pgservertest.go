// Package pgservertest gives tests databases on a real PostgreSQL server.
package pgservertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

const superuser = "synapse_test"

// shared is the one server of this test process. It is a package variable because the tests of a package have nothing
// else in common, and a server for each test would take a second each.
var shared = sync.OnceValues(start)

// Start returns the URL of a fresh, empty database, whose user is a superuser. All databases of a test process are on one
// server, which starts with the first call and goes, with its files, when the process ends in whatever way. The database
// is dropped when the test ends. Without PostgreSQL's programs the test fails: the message says how to install them.
func Start(t testing.TB) string {
	t.Helper()
	server, err := shared()
	require.NoError(t, err, "starting a PostgreSQL server for tests")

	name := "test_" + rand.Text()
	server.exec(t, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	t.Cleanup(func() { server.exec(t, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)") })
	return server.url(name)
}

type server struct {
	port     int
	password string
}

func (s *server) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (s *server) exec(t testing.TB, statement string) {
	t.Helper()
	// The test's own context has ended when it cleans up.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	require.NoError(t, err, statement)
}

// start makes and starts a server.
func start() (*server, error) {
	binaries, err := pgserver.Find()
	if err != nil {
		return nil, err
	}
	user, err := pgserver.Unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(user)
	if err != nil {
		return nil, err
	}
	if _, err := watch(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	s := &server{password: rand.Text()}
	passwordFile := filepath.Join(dir, "password")
	if _, err := user.WriteFile(passwordFile, s.password); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	cluster := pgserver.Cluster{Dir: data, Superuser: superuser, PasswordFile: passwordFile, Unsafe: true}
	if err := binaries.InitDB(ctx, user, cluster); err != nil {
		return nil, err
	}
	// The tests of another package may take the port between the look and the start: then another one is as good.
	for range 5 {
		if err = s.launch(ctx, binaries, user, dir, data); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// makeDir makes a directory that belongs to user, in the first directory for temporary files that user can reach.
func makeDir(user *pgserver.User) (string, error) {
	var problems []error
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		if err := user.CheckAccess(parent); err != nil {
			problems = append(problems, err)
			continue
		}
		dir, err := os.MkdirTemp(parent, "synapse-postgres-test-")
		if err != nil {
			return "", fmt.Errorf("making a directory for the server: %w", err)
		}
		return dir, user.Own(dir)
	}
	return "", errors.Join(problems...)
}

// launch starts the server on a free port and waits until it accepts connections.
func (s *server) launch(ctx context.Context, binaries pgserver.Binaries, user *pgserver.User, dir, data string) error {
	port, err := ports.Free()
	if err != nil {
		return err
	}
	s.port = port
	settings := pgserver.Settings{
		"listen_addresses": "127.0.0.1", "port": strconv.Itoa(port), "unix_socket_directories": "",
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
		"max_connections": "200", "shared_buffers": "32MB",
	}
	if _, err := user.WriteFile(filepath.Join(data, "postgresql.auto.conf"), settings.String()); err != nil {
		return err
	}
	logPath := filepath.Join(dir, "log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("making the server's log: %w", err)
	}
	defer log.Close()

	cmd := exec.Command(binaries.Path("postgres"), "-D", data)
	cmd.Dir, cmd.Env = "/", pgserver.Environment()
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: an interrupt at the terminal is for the test process, whose end then stops the server.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user.Credential(), Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case err := <-ended:
			output, _ := os.ReadFile(logPath)
			return fmt.Errorf("the server ended while starting: %w: %s", err, output)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the server to accept connections: %w", ctx.Err())
		case <-poll.C:
			conn, err := pgx.Connect(ctx, s.url("postgres"))
			if err == nil {
				return conn.Close(ctx)
			}
		}
	}
}

package pgservertest_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
)

func TestStart(t *testing.T) {
	t.Run("each call gives an empty database and a superuser", func(t *testing.T) {
		first, second := connect(t, pgservertest.Start(t)), connect(t, pgservertest.Start(t))
		_, err := first.Exec(t.Context(), "CREATE TABLE only_in_first (id int)")
		require.NoError(t, err)
		var exists, superuser bool
		err = second.QueryRow(t.Context(), `SELECT to_regclass('only_in_first') IS NOT NULL, rolsuper
			FROM pg_roles WHERE rolname = current_user`).Scan(&exists, &superuser)
		require.NoError(t, err)
		require.False(t, exists)
		require.True(t, superuser)
	})
	t.Run("a database is gone when its test has ended", func(t *testing.T) {
		var gone string
		t.Run("inner", func(t *testing.T) { gone = pgservertest.Start(t) })
		_, err := pgx.Connect(t.Context(), gone)
		require.ErrorContains(t, err, "does not exist")
	})
	t.Run("a wrong password is refused", func(t *testing.T) {
		config, err := pgx.ParseConfig(pgservertest.Start(t))
		require.NoError(t, err)
		config.Password = "wrong"
		_, err = pgx.ConnectConfig(t.Context(), config)
		require.ErrorContains(t, err, "password authentication failed")
	})
}

// helperEnv makes the test binary the process that is killed in the test below.
const helperEnv = "PGSERVERTEST_HELPER"

func TestHelperStartsAServerAndWaits(t *testing.T) {
	if os.Getenv(helperEnv) == "" {
		t.Skip("only runs as a process that another test kills")
	}
	conn := connect(t, pgservertest.Start(t))
	var dir string
	require.NoError(t, conn.QueryRow(t.Context(), "SHOW data_directory").Scan(&dir))
	_, err := os.Stdout.WriteString("data " + dir + "\n")
	require.NoError(t, err)
	<-t.Context().Done()
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Run("a killed test process takes its server and the files with it", func(t *testing.T) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperStartsAServerAndWaits$", "-test.v")
		cmd.Env = append(os.Environ(), helperEnv+"=1")
		output, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())

		var data string
		lines := bufio.NewScanner(output)
		for data == "" && lines.Scan() {
			_, data, _ = strings.Cut(lines.Text(), "data ")
		}
		require.NotEmpty(t, data, "the helper did not start a server")
		require.DirExists(t, data)
		pid := postmaster(t, data)

		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		require.Eventually(t, func() bool {
			_, err := os.Stat(strings.TrimSuffix(data, "/data"))
			return os.IsNotExist(err)
		}, 20*time.Second, 20*time.Millisecond, "the directory is still there")
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "the server still runs")
	})
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// postmaster reads the process id of the server in a data directory.
func postmaster(t *testing.T, data string) int {
	t.Helper()
	content, err := os.ReadFile(data + "/postmaster.pid")
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(t, err)
	return pid
}

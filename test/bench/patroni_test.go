package bench

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

const patroniPackages = "patroni etcd-server python3-etcd haproxy"

// patroniPrograms are what a cluster of patroni's is made of.
type patroniPrograms struct {
	patroni, etcd, haproxy string
	postgresql             pgserver.Binaries
	user                   *pgserver.User
	version                string
}

func findPatroni(t *testing.T) patroniPrograms {
	t.Helper()
	p := patroniPrograms{
		patroni: programOf(t, "patroni", patroniPackages), etcd: programOf(t, "etcd", patroniPackages),
		haproxy: programOf(t, "haproxy", patroniPackages),
	}
	var err error
	p.postgresql, err = pgserver.Find()
	require.NoError(t, err)
	p.user, err = pgserver.Unprivileged()
	require.NoError(t, err)
	output, err := exec.Command(p.patroni, "--version").Output()
	require.NoError(t, err)
	p.version = strings.TrimSpace(string(output))
	return p
}

// patroniSettings are patroni's dynamic configuration. What is not in it has patroni's default.
type patroniSettings struct {
	TTL          int  `json:"ttl"`
	LoopWait     int  `json:"loop_wait"`
	RetryTimeout int  `json:"retry_timeout"`
	StartTimeout *int `json:"primary_start_timeout,omitempty"`
	Synchronous  bool `json:"synchronous_mode,omitempty"`
}

// patroniCluster is two nodes, each with patroni and a PostgreSQL server, and etcd and HAProxy beside them.
type patroniCluster struct {
	patroniPrograms
	settings patroniSettings
	dir      string
	password string
	etcdAt   string
	proxyAt  string
	// api and database are the addresses of the nodes.
	api, database [2]string
}

// losePrimary runs a cluster, kills all of the node with the primary at once, and measures how long writes through HAProxy are
// away. Etcd and HAProxy go on.
func (p patroniPrograms) losePrimary(t *testing.T, settings patroniSettings) recovery {
	t.Helper()
	c := p.newCluster(t, settings)
	c.startEtcd(t)
	loseFirst := c.startNode(t, 0)
	await(t, "the first node is the primary", func() (bool, string) { return c.answers(c.api[0], "/primary") })
	c.makeTable(t)
	c.startNode(t, 1)
	await(t, "the second node replicates", func() (bool, string) { return c.replicates(t) })

	c.startProxy(t)
	w := startWriter(t, c.url(c.proxyAt))
	w.awaitSteady(t, time.Now())
	// The lock's time left depends on when in a round the node is lost: any moment of it is as likely.
	lostAt := time.Now().Add(mathrand.N(time.Duration(settings.LoopWait) * time.Second))
	await(t, "the moment of the loss has come", func() (bool, string) { return !time.Now().Before(lostAt), "" })
	ready, seen := c.replicates(t)
	require.True(t, ready, seen)
	lostAt = time.Now()
	loseFirst()
	t.Logf("all of the node was gone after %s", time.Since(lostAt).Round(time.Millisecond))
	r := w.awaitRecovery(t, lostAt)
	if file, err := os.Stat(filepath.Join(c.dir, "node1", "pg_wal", "00000002.history")); err == nil {
		t.Logf("the second node was promoted after %s", file.ModTime().Sub(lostAt).Round(time.Millisecond))
	}
	return r
}

func (p patroniPrograms) newCluster(t *testing.T, settings patroniSettings) *patroniCluster {
	t.Helper()
	require.NoError(t, p.user.CheckAccess(os.TempDir()), "choose another directory with TMPDIR")
	dir, err := os.MkdirTemp("", "synapse-bench-patroni-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, p.user.Own(dir))
	c := &patroniCluster{patroniPrograms: p, settings: settings, dir: dir, password: rand.Text()}
	var taken []int
	for _, address := range []*string{&c.etcdAt, &c.proxyAt, &c.api[0], &c.api[1], &c.database[0], &c.database[1]} {
		port, err := ports.Free(taken...)
		require.NoError(t, err)
		taken = append(taken, port)
		*address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	return c
}

// startEtcd starts a cluster of one member: it has nobody to wait for.
func (c *patroniCluster) startEtcd(t *testing.T) {
	t.Helper()
	peer, err := ports.Free()
	require.NoError(t, err)
	peerURL := fmt.Sprintf("http://127.0.0.1:%d", peer)
	startChild(t, "node", c.etcdAt, c.etcd, "--name=etcd", "--data-dir="+filepath.Join(c.dir, "etcd"),
		"--listen-client-urls=http://"+c.etcdAt, "--advertise-client-urls=http://"+c.etcdAt,
		"--listen-peer-urls="+peerURL, "--initial-advertise-peer-urls="+peerURL, "--initial-cluster=etcd="+peerURL, "--log-level=error")
}

// startProxy starts HAProxy with patroni's template, but for the checks: those are as frequent as they can be without being a
// load, and the first good one counts. That is in patroni's favour: with the template's inter 3s and rise 2, HAProxy would
// add several seconds. Clients that know both servers would need no proxy, but would log in to the standby over and over.
func (c *patroniCluster) startProxy(t *testing.T) {
	t.Helper()
	config := fmt.Sprintf(`
defaults
  mode tcp
  timeout connect 500ms
  timeout client 30m
  timeout server 30m
  timeout check 2s
listen primary
  bind %s
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 200ms fall 3 rise 1 on-marked-down shutdown-sessions
`, c.proxyAt)
	for i := range c.database {
		_, port, err := net.SplitHostPort(c.api[i])
		require.NoError(t, err)
		config += fmt.Sprintf("  server node%d %s check port %s\n", i, c.database[i], port)
	}
	file := filepath.Join(c.dir, "haproxy.cfg")
	_, err := c.user.WriteFile(file, config)
	require.NoError(t, err)
	startChild(t, "node", c.proxyAt, c.haproxy, "-db", "-f", file)
}

// startNode starts patroni, which makes and starts the server of the node. The function that it returns kills both.
func (c *patroniCluster) startNode(t *testing.T, i int) (lose func()) {
	t.Helper()
	name := fmt.Sprint("node", i)
	bootstrap := map[string]any{
		"dcs":    c.settings,
		"initdb": []any{map[string]string{"encoding": "UTF8"}, map[string]string{"locale": "C"}, "data-checksums"},
		"pg_hba": []string{
			"local all all trust", "host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256",
		},
	}
	config, err := json.MarshalIndent(map[string]any{ // YAML is a superset of JSON
		"scope": "bench", "name": name,
		"restapi":   map[string]string{"listen": c.api[i], "connect_address": c.api[i]},
		"etcd3":     map[string]string{"host": c.etcdAt},
		"bootstrap": bootstrap,
		"postgresql": map[string]any{
			"listen": c.database[i], "connect_address": c.database[i],
			"data_dir": filepath.Join(c.dir, name), "bin_dir": c.postgresql.Dir, "pgpass": filepath.Join(c.dir, name+".pgpass"),
			"authentication": map[string]any{
				"superuser":   map[string]string{"username": "postgres", "password": c.password},
				"replication": map[string]string{"username": "replicator", "password": c.password},
			},
			"parameters": map[string]string{"unix_socket_directories": c.dir},
		},
		// A watchdog would be that of the machine on which the benchmark runs.
		"watchdog": map[string]string{"mode": "off"},
	}, "", "  ")
	require.NoError(t, err)
	file := filepath.Join(c.dir, name+".yml")
	_, err = c.user.WriteFile(file, string(config))
	require.NoError(t, err)
	return startChild(t, "node", c.api[i], c.patroni, file)
}

// answers reports whether a node's API answers 200, which it does to a path that names a role that the node has.
func (c *patroniCluster) answers(address, path string) (bool, string) {
	response, err := http.Get("http://" + address + path)
	if err != nil {
		return false, err.Error()
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK, response.Status
}

// replicates reports whether the second node could take over from the first now.
func (c *patroniCluster) replicates(t *testing.T) (bool, string) {
	t.Helper()
	if ok, seen := c.answers(c.api[0], "/primary"); !ok {
		return false, "the first node as primary: " + seen
	}
	role, want := "/replica", "async"
	if c.settings.Synchronous {
		role, want = "/synchronous", "sync"
	}
	if ok, seen := c.answers(c.api[1], role); !ok {
		return false, "the second node as " + role + ": " + seen
	}
	conn, err := pgx.Connect(t.Context(), c.url(c.database[0]))
	if err != nil {
		return false, err.Error()
	}
	defer conn.Close(t.Context())
	var state string
	err = conn.QueryRow(t.Context(), "SELECT coalesce(string_agg(state || ' ' || sync_state, ', '), 'nobody') FROM pg_stat_replication").Scan(&state)
	return err == nil && state == "streaming "+want, fmt.Sprint(state, err)
}

// makeTable makes the table that the measuring client writes to, as the local runtime has it.
func (c *patroniCluster) makeTable(t *testing.T) {
	t.Helper()
	await(t, "the table for the writes is there", func() (bool, string) {
		conn, err := pgx.Connect(t.Context(), c.url(c.database[0]))
		if err != nil {
			return false, err.Error()
		}
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), `
			CREATE SCHEMA IF NOT EXISTS synapse_drill;
			CREATE TABLE IF NOT EXISTS synapse_drill.markers (
				run text, seq bigint, written_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (run, seq)
			)`)
		return err == nil, fmt.Sprint(err)
	})
}

func (c *patroniCluster) url(address string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", c.password), Host: address, Path: "/postgres", RawQuery: "sslmode=disable"}
	return u.String()
}

package pgproxy

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// moment is how long nothing must happen for a test to believe that it does not.
const moment = 60 * time.Millisecond

// comesFrom connects as a service of a region does, to an echo.
func comesFrom(t *testing.T, address, region string) *net.TCPConn {
	client := dial(t, address)
	packet := introduction(t, map[string]string{"user": "a", "application_name": ApplicationName(region)})
	_, err := client.Write(packet)
	require.NoError(t, err)
	require.Equal(t, string(packet), read(t, client, len(packet)), "it is passed on unchanged")
	return client
}

func say(t *testing.T, client net.Conn, word string) {
	_, err := io.WriteString(client, word)
	require.NoError(t, err)
}

// alive checks that a connection works.
func alive(t *testing.T, client net.Conn) {
	say(t, client, "ping")
	require.Equal(t, "ping", read(t, client, 4))
}

func requireClosed(t *testing.T, client net.Conn) {
	_, err := client.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it hangs")
}

func isolation(region string, mode runtime.FaultMode, end time.Duration) []runtime.Fault {
	return []runtime.Fault{{ID: "drill", Kind: runtime.FaultIsolation, Region: region, Mode: mode, Until: time.Now().Add(end)}}
}

func TestAnIsolationThatRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, isolated string
		eu, us         bool // whether services of the regions still reach the primary, which is in eu
	}{
		{"of the primary's region cuts everybody off", "eu", false, false},
		{"of a service's region cuts that one off", "us", true, false},
		{"of another region concerns nobody", "ap", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			proxy, address := serve(t)
			proxy.SetPrimary(Primary{Address: echo(t, ""), Region: "eu"})
			eu, us := comesFrom(t, address, "eu"), comesFrom(t, address, "us")
			proxy.faults.Set(isolation(test.isolated, runtime.FaultRefuse, time.Hour))
			for region, reaches := range map[string]bool{"eu": test.eu, "us": test.us} {
				old := map[string]*net.TCPConn{"eu": eu, "us": us}[region]
				if reaches {
					alive(t, old)
					alive(t, comesFrom(t, address, region))
					continue
				}
				requireClosed(t, old)
				_, err := pgx.Connect(t.Context(), "postgres://someone@"+address+"/db?sslmode=disable&application_name="+ApplicationName(region))
				refusal := new(pgconn.PgError)
				require.ErrorAs(t, err, &refusal)
				require.Equal(t, "57P03", refusal.Code)
				require.Contains(t, refusal.Message, "isolation of region "+test.isolated)
			}
		})
	}
}

func TestABlackHoleStallsConnectionsUntilItEndsByItself(t *testing.T) {
	t.Parallel()
	for _, isolated := range []string{"eu", "us"} { // the primary's region, and the service's
		t.Run(isolated, func(t *testing.T) {
			t.Parallel()
			proxy, address := serve(t)
			proxy.SetPrimary(Primary{Address: echo(t, ""), Region: "eu"})
			client := comesFrom(t, address, "us")
			faults := isolation(isolated, runtime.FaultBlackHole, 3*moment)
			proxy.faults.Set(faults)
			alive(t, client)
			require.False(t, time.Now().Before(faults[0].Until))
		})
	}
}

func TestThePrimarysRegionMayBecomeKnownLater(t *testing.T) {
	t.Parallel()
	proxy, address := serve(t)
	primary := echo(t, "")
	proxy.SetPrimary(Primary{Address: primary})
	client := comesFrom(t, address, "us")
	proxy.faults.Set(isolation("eu", runtime.FaultRefuse, time.Hour))
	alive(t, client)
	proxy.SetPrimary(Primary{Address: primary, Region: "ap"})
	alive(t, client)
	proxy.SetPrimary(Primary{Address: primary, Region: "eu"})
	requireClosed(t, client)
}

func TestALabelIsFoundAfterEncryptionWasDeclined(t *testing.T) {
	t.Parallel()
	proxy, address := serve(t)
	proxy.SetPrimary(Primary{Address: echo(t, ""), Region: "eu"})
	client := dial(t, address)
	ssl := []byte{0, 0, 0, 8, 4, 210, 22, 47}
	_, err := client.Write(ssl)
	require.NoError(t, err)
	require.Equal(t, string(ssl), read(t, client, len(ssl)))
	packet := introduction(t, map[string]string{"application_name": ApplicationName("us")})
	_, err = client.Write(packet)
	require.NoError(t, err)
	read(t, client, len(packet))
	proxy.faults.Set(isolation("us", runtime.FaultRefuse, time.Hour))
	requireClosed(t, client)
}

func TestSlowDatabasesDelayWhatARegionSends(t *testing.T) {
	t.Parallel()
	proxy, address := serve(t)
	proxy.SetPrimary(Primary{Address: echo(t, ""), Region: "us"})
	eu, us := comesFrom(t, address, "eu"), comesFrom(t, address, "us")
	slow := runtime.Fault{Kind: runtime.FaultSlowDatabases, Region: "eu", Latency: time.Hour, Until: time.Now().Add(time.Hour)}
	proxy.faults.Set([]runtime.Fault{slow})
	alive(t, us)
	slow.Latency = 300 * time.Millisecond
	proxy.faults.Set([]runtime.Fault{slow})
	began := time.Now()
	alive(t, eu)
	require.GreaterOrEqual(t, time.Since(began), slow.Latency)
	slow.Latency, slow.Until = time.Hour, time.Now().Add(-time.Second)
	proxy.faults.Set([]runtime.Fault{slow})
	alive(t, eu) // what has ended delays nothing
}

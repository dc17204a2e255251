package pgproxy

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// introduction is the startup message of a client.
func introduction(t require.TestingT, parameters map[string]string) []byte {
	packet, err := (&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: parameters}).Encode(nil)
	require.NoError(t, err)
	return packet
}

func TestTheFirstPacketSaysWhereAClientComesFrom(t *testing.T) {
	t.Parallel()
	from := func(application string) []byte {
		return introduction(t, map[string]string{"user": "a", "application_name": application, "database": "d"})
	}
	cancel := []byte{0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2}
	huge := from(ApplicationName("eu") + string(bytes.Repeat([]byte("x"), maxStartup)))
	for _, test := range []struct {
		name       string
		sent       []byte
		region     string
		encryption bool
		left       int
		err        error
	}{
		{"a service's connection", from(ApplicationName("eu-west")), "eu-west", false, 0, nil},
		{"what comes after the packet is not read", append(from(ApplicationName("eu")), "more"...), "eu", false, 4, nil},
		{"another program's connection", from("psql"), "", false, 0, nil},
		{"a connection without a name", introduction(t, map[string]string{"user": "a"}), "", false, 0, nil},
		{"a request for TLS", []byte{0, 0, 0, 8, 4, 210, 22, 47}, "", true, 0, nil},
		{"a request for GSSAPI", []byte{0, 0, 0, 8, 4, 210, 22, 48}, "", true, 0, nil},
		{"a request to cancel", cancel, "", false, 0, nil},
		{"TLS without asking", []byte{22, 3, 1, 2, 0, 1, 0, 1}, "", false, 4, nil},
		{"a packet that is too long", huge, "", false, len(huge) - 4, nil},
		{"a packet that is too short", []byte{0, 0, 0, 4, 1}, "", false, 1, nil},
		{"an older protocol", append([]byte{0, 0, 0, 32, 0, 2, 0, 0}, "application_name\x00synapse-x"...)[:32], "", false, 0, nil},
		{"the last of two names counts, as for the server", append([]byte{0, 0, 0, 66, 0, 3, 0, 0}, "application_name\x00synapse-a\x00application_name\x00psql-bcde\x00\x00\x00\x00\x00"...), "", false, 0, nil},
		{"a client that says nothing", nil, "", false, 0, io.EOF},
		{"a client that stops within the packet", from(ApplicationName("eu"))[:12], "", false, 0, io.ErrUnexpectedEOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			source := bytes.NewReader(test.sent)
			got, err := readStartup(source)
			require.ErrorIs(t, err, test.err)
			require.Equal(t, test.region, got.region)
			require.Equal(t, test.encryption, got.encryption)
			require.Equal(t, test.left, source.Len())
			require.Equal(t, string(test.sent[:len(test.sent)-test.left]), string(got.raw))
		})
	}
}

func TestARegionIsFoundAmongAnyParameters(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[^\x00]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.StringMatching(`[a-z][a-z0-9-]{0,20}`).Draw(t, "region")
		parameters := rapid.MapOfN(rapid.StringMatching(`[^\x00]{1,20}`), text, 0, 8).Draw(t, "parameters")
		parameters["application_name"] = ApplicationName(region)
		packet := introduction(t, parameters)
		if len(packet) > maxStartup {
			t.Skip("too long for PostgreSQL")
		}
		got, err := readStartup(bytes.NewReader(packet))
		require.NoError(t, err)
		require.Equal(t, region, got.region)
		require.Equal(t, packet, got.raw)
	})
}

// FuzzReadStartup checks that whatever a client sends, nothing of it is lost or changed, and that a region is found just
// where a PostgreSQL implementation finds it.
func FuzzReadStartup(f *testing.F) {
	f.Add([]byte{0, 0, 0, 8, 4, 210, 22, 47})
	f.Add([]byte{22, 3, 1, 0, 0xff})
	f.Add(introduction(f, map[string]string{"user": "a", "application_name": "synapse-eu"}))
	f.Fuzz(func(t *testing.T, sent []byte) {
		source := bytes.NewReader(sent)
		got, err := readStartup(source)
		rest, _ := io.ReadAll(source)
		require.Equal(t, string(sent), string(got.raw)+string(rest))
		require.LessOrEqual(t, len(got.raw), maxStartup)
		if err != nil {
			require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
			require.Empty(t, got.region)
			return
		}
		message := &pgproto3.StartupMessage{}
		if got.encryption || len(got.raw) < minStartup || message.Decode(got.raw[4:]) != nil {
			return
		}
		want, ours := bytes.CutPrefix([]byte(message.Parameters["application_name"]), []byte(labelPrefix))
		if !ours {
			want = nil
		}
		require.Equal(t, string(want), got.region)
	})
}

package trial

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestANameSaysWhenItsEnvironmentWasMade(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		made := epoch().Add(time.Duration(rapid.Int64Range(0, int64(20*365*24*time.Hour)).Draw(t, "made")))
		// From a sweeper whose clock is late to one that comes after years.
		age := time.Duration(rapid.Int64Range(int64(-skew+time.Minute), int64(period-skew-time.Minute)).Draw(t, "age"))
		rest := rapid.SampledFrom([]string{"", "-europe-west1", " team", ".example.com.", "@p.iam.gserviceaccount.com", "/sql"}).Draw(t, "rest")
		name := Name(made)
		if len(name) != 16 {
			t.Fatalf("%s has %d characters", name, len(name))
		}
		got, ok := Made(name+rest, made.Add(age))
		if !ok || !got.Equal(made.Truncate(time.Minute)) {
			t.Fatalf("%s was made at %s, and seems to be of %s", name+rest, made, got)
		}
	})
}

func TestNamesOfAnotherFormAreOfNoEnvironment(t *testing.T) {
	t.Parallel()
	now := epoch().AddDate(1, 0, 0)
	for _, name := range []string{
		"", "default", "synapse-staging", "synapse-t-", "synapse-t-abcde", "synapse-t-abcdefg", "synapse-t-abcdefg-network",
		"synapse-t-ABCDEF", "synapse-t-abc-ef", "my-synapse-t-abcdef", "synapse-t-abcd\xc3\xa9", "Synapse-t-abcdef",
	} {
		_, ok := Made(name, now)
		require.False(t, ok, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]([-a-z0-9]{0,40}[a-z0-9])?`).Filter(func(name string) bool { return len(name) < len(prefix) || name[:len(prefix)] != prefix }).Draw(t, "name")
		if _, ok := Made(name, now); ok {
			t.Fatalf("%s is not one of ours", name)
		}
	})
}

func TestSomethingMadeALittleAheadOfTheClockIsNotOld(t *testing.T) {
	t.Parallel()
	now := epoch().AddDate(2, 0, 0)
	made, ok := Made(Name(now.Add(20*time.Hour)), now)
	require.True(t, ok)
	require.True(t, made.After(now))
}

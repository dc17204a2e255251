package synapse

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTimeoutsOfASplitReplaceThoseOfItsServiceFieldByField(t *testing.T) {
	t.Parallel()
	service := &Timeouts{Connect: "1s", Response: "5s"}
	split := &Timeouts{Response: "7s", AbandonedAfter: "3s"}
	require.Equal(t, DefaultTimeouts(), (*Timeouts)(nil).Over(DefaultTimeouts()))
	require.Equal(t,
		Timeouts{Connect: "1s", Response: "7s", Idle: "5m", AbandonedAfter: "3s"},
		split.Over(service.Over(DefaultTimeouts())))
}

func TestTimeoutsThatMakeNoSenseAreRefusedAtTheirField(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		given   Timeouts
		pointer string
	}{
		{"no unit", Timeouts{Connect: "2"}, "/spec/request_timeouts/connect"},
		{"connecting for longer than a minute", Timeouts{Connect: "2m"}, "/spec/request_timeouts/connect"},
		{"no time at all", Timeouts{Response: "0s"}, "/spec/request_timeouts/response"},
		{"a negative time", Timeouts{Idle: "-1s"}, "/spec/request_timeouts/idle"},
		{"more than a day", Timeouts{AbandonedAfter: "25h"}, "/spec/request_timeouts/abandoned_after"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := ServiceSpec{Timeouts: &test.given}
			service.SetDefaults()
			split := TrafficSplitSpec{
				Timeouts: &test.given, Weights: map[string]int{"old": 90, "new": 10},
				Backends: map[string]SplitBackend{"old": {Role: RoleStable, URL: "http://127.0.0.1:1"}, "new": {Role: RoleCandidate, Deployment: "a/b"}},
			}
			split.SetDefaults()
			for _, errs := range [][]FieldError{service.Validate(), split.Validate()} {
				require.Len(t, errs, 1)
				require.Equal(t, test.pointer, errs[0].Pointer)
			}
		})
	}
	require.Empty(t, (&Timeouts{Response: "1h"}).Validate("/x"))
	long := (&Timeouts{Response: "100h", Connect: "90s"}).Validate("/x")
	require.Len(t, long, 2)
	require.Equal(t, "90s is out of range: it must be between 10ms and 1m", long[0].Message, "in the words of the user and the docs")
	require.Equal(t, "100h is out of range: it must be between 10ms and 24h", long[1].Message)
}
